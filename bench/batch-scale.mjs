// A large batch, killed: `srmap explain FOLDER` and `srmap work` beside undisturbed runs, every byte compared.
// Usage, after npm run build:
//   node bench/batch-scale.mjs PHOTOS COUNT [KILLS] [rate|resume|queue ...] [write=PARTS]
// PHOTOS is a folder of JPEG files, taken again and again until there are COUNT. rate: photos a second and memory of one process and of one a
// core. resume: killed KILLS times at random moments and started again. queue: three workers on redis-server (on the path), one killed
// with SIGKILL every ten seconds and replaced, the server killed once and started again from its log. PARTS: what --write takes,
// such as npy,json; the pictures, too, by default. alexnet-mini, Salient Relevance in fast mode.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [photos, countText = "1000", killsText = "20", ...wanted] = process.argv.slice(2);
const write = wanted.find((word) => word.startsWith("write="))?.slice("write=".length);
const named = wanted.filter((word) => !word.startsWith("write="));
const parts = named.length > 0 ? named : ["rate", "resume", "queue"];
const count = Number(countText);
const cli = fileURLToPath(new URL("../build/cli/main.js", import.meta.url));
const folder = mkdtempSync(join(process.env.SRMAP_SCALE ?? tmpdir(), "srmap-scale-"));
const settings = ["--model", "alexnet-mini", "--sr", "mode=fast", ...(write === undefined ? [] : ["--write", write])];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The photos, each under a name of its own; links where the disk allows. */
function makePhotos() {
  const from = readdirSync(photos)
    .filter((name) => /\.jpe?g$/i.test(name))
    .sort();
  const to = join(folder, "photos");
  mkdirSync(to);
  for (let i = 0; i < count; i++) {
    const [source, target] = [join(photos, from[i % from.length]), join(to, `${String(i).padStart(6, "0")}.jpg`)];
    try {
      linkSync(source, target);
    } catch {
      copyFileSync(source, target);
    }
  }
  return to;
}

/** Checksum of every file of a photo's results, and what else lies there. */
function contents(out) {
  const digests = new Map();
  const others = [];
  for (const name of readdirSync(out).sort()) {
    const path = join(out, name);
    if (!statSync(path).isDirectory() || !name.endsWith(".jpg")) {
      others.push(name);
      continue;
    }
    const hash = createHash("sha256");
    for (const file of readdirSync(path).sort()) hash.update(file).update(readFileSync(join(path, file)));
    digests.set(name, hash.digest("hex"));
  }
  return { digests, others };
}

/** Memory in MB of a process and those below it. */
function memory(pid) {
  try {
    const below = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
    return (pages * 4096) / 1e6 + below.reduce((sum, child) => sum + memory(child), 0);
  } catch {
    return 0;
  }
}

const explain = (from, out, jobs) =>
  spawn(process.execPath, [cli, "explain", from, "--out", out, "--jobs", String(jobs), ...settings], {
    stdio: "ignore",
    detached: true,
  });
const ended = (child) =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else child.once("exit", (code) => resolve(code));
  });
const killAll = (child) => {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
};

function compare(what, { digests, others }, expected) {
  const different = [...expected].filter(([name, digest]) => digests.get(name) !== digest).length;
  const more = [...digests.keys()].filter((name) => !expected.has(name)).length;
  const litter = others.filter((name) => !/^(index\.(csv|jsonl|html)|run\.json)$/.test(name));
  console.log(
    `${what}: ${digests.size} results, ${different} missing or different, ${more} too many, litter: ${litter.join(" ") || "none"}`,
  );
  if (different + more + litter.length > 0) process.exitCode = 1;
}

async function timed(from, out, jobs) {
  const started = performance.now();
  const child = explain(from, out, jobs);
  const samples = [];
  const timer = setInterval(() => samples.push(memory(child.pid)), 1000);
  const code = await ended(child);
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1000;
  const at = (share) => samples[Math.floor(share * (samples.length - 1))]?.toFixed(0);
  const lines = readFileSync(join(out, "index.csv"), "utf8").trim().split("\n").length - 1;
  console.log(
    `${jobs} process${jobs > 1 ? "es" : ""}: ${(count / seconds).toFixed(2)} photos/s, exit ${code}, ${lines} lines in index.csv; memory after a tenth, half, all: ${at(0.1)}, ${at(0.5)}, ${at(0.95)} MB`,
  );
  return count / seconds;
}

const from = makePhotos();
const cores = availableParallelism();
const reference = join(folder, "reference");
const many = await timed(from, reference, cores);
const { digests: expected } = contents(reference);
if (parts.includes("rate")) {
  const out = join(folder, "one");
  const one = await timed(from, out, 1);
  compare("one process", contents(out), expected);
  console.log(`${cores} cores: ${(many / one).toFixed(2)} times one`);
  rmSync(out, { recursive: true });
}
if (parts.includes("resume")) {
  const out = join(folder, "resumed");
  const kills = Number(killsText);
  const span = (1000 * count) / many / (kills + 1);
  let hit = 0;
  for (let i = 0; i < kills; i++) {
    const child = explain(from, out, cores);
    await pause(800 + 2 * span * Math.random());
    if (child.exitCode === null) hit++;
    killAll(child);
    await ended(child);
  }
  const code = await ended(explain(from, out, cores));
  console.log(`resumed: ${hit} of ${kills} kills hit, the last run's exit ${code}`);
  compare("resumed", contents(out), expected);
  rmSync(out, { recursive: true });
}
if (parts.includes("queue")) {
  const out = join(folder, "queued");
  const port = 20000 + (process.pid % 20000);
  const url = `redis://127.0.0.1:${port}`;
  const data = join(folder, "server");
  mkdirSync(data);
  const serve = () =>
    spawn("redis-server", ["--port", String(port), "--save", "", "--appendonly", "yes", "--dir", data], {
      stdio: "ignore",
    });
  let server = serve();
  await pause(1000);
  const work = () =>
    spawn(process.execPath, [cli, "work", "--queue", url, "--jobs", "1", "--lease", "5"], {
      stdio: "ignore",
      detached: true,
    });
  const workers = [work(), work(), work()];
  const started = performance.now();
  const filler = spawn(process.execPath, [cli, "enqueue", from, "--out", out, "--queue", url, ...settings], {
    stdio: "ignore",
  });
  const code = await ended(filler);
  let [killed, isServerKilled, done] = [0, false, 0];
  while (performance.now() - started < Math.max(3600e3, 2000 * count)) {
    const round = performance.now();
    while (done < count && performance.now() - round < 10000) {
      await pause(500);
      done = existsSync(out)
        ? readdirSync(out).filter((name) => existsSync(join(out, name, "explanation.json"))).length
        : 0;
    }
    if (done >= count) break;
    killAll(workers[killed % 3]);
    workers[killed % 3] = work();
    killed++;
    if (!isServerKilled && done > count / 3) {
      server.kill("SIGKILL");
      await ended(server);
      server = serve();
      isServerKilled = true;
    }
  }
  for (const worker of workers) worker.kill("SIGTERM");
  await Promise.all(workers.map(ended));
  server.kill();
  console.log(
    `queue: ${killed} workers killed, the server ${isServerKilled ? "once" : "never"}, enqueue's exit ${code}, ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  compare("queue", contents(out), expected);
}
rmSync(folder, { recursive: true });
