// Runs every *.test.js below build/test, each in a process of its own, and fails when a file ran no test.
// Usage: node build/test/run.js [--fast] [part of a file name ...]
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const isFast = process.argv.includes("--fast");
const wanted = process.argv.slice(2).filter((word) => word !== "--fast");
// What takes seconds a file: whole commands, browsers, whole networks, fuzzers. `npm run test:fast` leaves them out.
const slow =
  /^(cli|web|photos|host)\/|package|readme|api-reference|declarations|fuzz|seeded|mini-nets|squeezenet|low-memory|dispose|salient-relevance|canaries|properties|winograd|networks|onnx|keras|torch|cases/;
const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.js"))
  // The compiler leaves what it made of files that are gone.
  .filter((name) => existsSync(join(here, "../../test", name.replace(/js$/, "ts"))))
  .filter((name) => !isFast || !slow.test(name.replaceAll("\\", "/")))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();

interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
}

/** Reads the counts from uvu's closing lines. */
function counts(output: string): { total: number; passed: number; skipped: number } {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: uvu may colour its output
  const plain = output.replace(/\u001b\[\d+m/g, "");
  const read = (label: string): number => Number(new RegExp(`${label}:\\s+(\\d+)`).exec(plain)?.[1] ?? 0);
  return { total: read("Total"), passed: read("Passed"), skipped: read("Skipped") };
}

function runFile(file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, [join(here, file)], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      output += String(chunk);
    });
    child.on("close", (code) => {
      const { total, passed, skipped } = counts(output);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      let failed = total - passed;
      if (total + skipped === 0) {
        output += "no test ran in this file\n";
        failed = 1;
      } else if (code !== 0 && failed === 0) {
        output += `the process ended with ${code}\n`;
        failed = 1;
      }
      console.log(
        `${failed > 0 ? "FAIL" : "ok  "} ${relative(".", join(here, file))} ${passed}/${total}${skipped > 0 ? `, ${skipped} skipped` : ""} (${seconds} s)`,
      );
      for (const line of output.split("\n")) if (line.startsWith("skipped:")) console.log(`     ${line}`);
      if (failed > 0) console.log(output);
      resolve({ passed, failed, skipped });
    });
  });
}

const sum: Outcome = { passed: 0, failed: 0, skipped: 0 };
const queue = [...files];
async function work(): Promise<void> {
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const outcome = await runFile(file);
    sum.passed += outcome.passed;
    sum.failed += outcome.failed;
    sum.skipped += outcome.skipped;
  }
}
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
if (files.length === 0) {
  console.log(`no test file matches ${wanted.join(" ")}`);
  sum.failed = 1;
}
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""}`);
process.exitCode = sum.failed > 0 ? 1 : 0;
