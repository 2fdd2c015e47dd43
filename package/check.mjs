// Packs the package and asks publint and "Are the types wrong?" whether everybody can import it. Usage: node package/check.mjs
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "srmap-check-"));
try {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // Without scripts: the build that is there is the build that is packed.
  execFileSync(npm, ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: root, stdio: "pipe" });
  const packed = join(folder, readdirSync(folder)[0]);

  const description = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const tarball = readFileSync(packed);
  const { messages } = await publint({
    pack: { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length) },
    strict: true,
  });
  for (const message of messages) console.log(`publint: ${message.type}: ${formatMessage(message, description)}`);

  // The package is ES modules alone, which CommonJS requires as they are from Node 22.12 on. Weights are data that bundlers copy.
  const attw = fileURLToPath(import.meta.resolve("@arethetypeswrong/cli/package.json"));
  const { bin } = JSON.parse(readFileSync(attw, "utf8"));
  const data = Object.keys(description.exports).filter((name) => name.endsWith(".safetensors"));
  const settings = ["--ignore-rules", "cjs-resolves-to-esm", "--exclude-entrypoints", ...data];
  const args = [join(attw, "..", bin.attw), packed, "--format", "ascii", "--no-emoji", ...settings];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) console.log(stdout + stderr);

  if (messages.length > 0 || status !== 0) process.exitCode = 1;
  else console.log("publint and attw have nothing to say about the package");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
