import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import * as assert from "uvu/assert";
import { encodePng } from "../../cli/drawing/png.ts";
import { mustHave } from "../../engine/basics/must-have.ts";
import { createImage } from "../../engine/picture/image.ts";
import { root } from "../support/paths.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-queue-"));
const cli = join(root, "build/cli/main.js");
const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A server on this machine: redis-server or valkey-server, the first on the path. */
function serverProgram(): string {
  const names = ["redis-server", "valkey-server"];
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = names.find((name) => folders.some((path) => spawnSync(join(path, name), ["--version"]).status === 0));
  return found ?? names.join(" or ");
}

const program = serverProgram();
const programPath =
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((path) => join(path, program))
    .find((path) => spawnSync(path, ["--version"]).status === 0) ?? program;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function start(command: string, args: readonly string[], detached = false): ChildProcess {
  const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"], detached });
  children.add(child);
  child.on("exit", () => children.delete(child));
  child.stdout?.resume();
  child.stderr?.resume();
  return child;
}

/** A server that writes down every change, as one that holds work should. */
function startServer(port: number): ChildProcess {
  const data = join(folder, `server-${port}`);
  mkdirSync(data, { recursive: true });
  return start(programPath, [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "yes",
    "--dir",
    data,
  ]);
}

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function srmap(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [cli, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    children.add(child);
    let out = "";
    let err = "";
    child.stdout.on("data", (text) => {
      out += String(text);
    });
    child.stderr.on("data", (text) => {
      err += String(text);
    });
    child.on("close", (code) => {
      children.delete(child);
      resolve({ code, out, err });
    });
  });
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });

function makePhotos(name: string, count: number): string {
  const random = rng(11);
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  for (let i = 0; i < count; i++) {
    const image = createImage(32, 32);
    for (let p = 0; p < image.data.length; p++) if (p % 4 !== 3) image.data[p] = Math.floor(random.uniform(0, 256));
    writeFileSync(join(path, `${String(i).padStart(3, "0")}.png`), encodePng(image));
  }
  return path;
}

/** Every result file below a folder with its bytes; not what belongs to a run as a whole. */
function contents(path: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(path, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.(png|npy|json)$/.test(name) && name.includes("/")) {
      try {
        files.set(name, readFileSync(join(path, name)).toString("base64"));
      } catch {
        // a photo's folder, which is called as the photo
      }
    }
  }
  return files;
}

const settings = ["--sr", "workSize=40", "--write", "maps,npy"];
const worker = (url: string, leaseSeconds = 2, detached = false): ChildProcess =>
  start(process.execPath, [cli, "work", "--queue", url, "--jobs", "1", "--lease", String(leaseSeconds)], detached);

suite("cli/queue", (test) => {
  test("a queue that is not there is told in one sentence", async () => {
    const port = await freePort();
    const run = await srmap("queue", "--queue", `redis://:secret@127.0.0.1:${port}`);
    assert.is(run.code, 1);
    assert.match(
      run.err,
      new RegExp(
        `^srmap: queue srmap at redis://127\\.0\\.0\\.1:${port} cannot be reached.*Is the server running\\?\\n$`,
      ),
    );
    assert.not.match(run.err, /secret/);
    const none = await srmap("work");
    assert.equal(
      [none.code, none.err],
      [2, "srmap: --queue is needed: the address of the server, redis://HOST:PORT.\n"],
    );
  });

  test.needs(
    programPath,
    "workers share a queue: every photo once, the same bytes as without; a damaged one is parked",
    async () => {
      const photos = makePhotos("photos", 12);
      cpSync(join(root, "test/golden/images/refuse/truncated.png"), join(photos, "damaged.png"));
      await srmap("explain", photos, "--out", "alone", ...settings);
      const port = await freePort();
      const url = `redis://127.0.0.1:${port}`;
      const server = startServer(port);
      await pause(500);
      const enqueued = await srmap("enqueue", photos, "--out", "shared", "--queue", url, ...settings);
      assert.equal([enqueued.code, enqueued.err], [0, ""]);
      assert.match(enqueued.out, /^13 photos are in queue srmap at redis:/);
      const again = await srmap("enqueue", photos, "--out", "shared", "--queue", url, ...settings);
      assert.is(again.code, 0, "twice is once");
      const before = await srmap("queue", "--queue", url);
      assert.match(before.out, /: 0 done, 0 in work, 13 waiting, 0 parked\n$/);
      const runs = await Promise.all(
        ["1", "2"].map(() => srmap("work", "--queue", url, "--jobs", "1", "--until-empty")),
      );
      const done = runs.flatMap(({ out }) => out.match(/^done .*$/gm) ?? []);
      assert.is(done.length, 12, runs.map(({ err }) => err).join("\n"));
      assert.is(new Set(done).size, 12, "none twice");
      const state = await srmap("queue", "--queue", url, "--json");
      assert.is(state.code, 1, "something is parked");
      const { done: finished, parked, failures } = JSON.parse(state.out);
      assert.equal([finished, parked], [12, 1]);
      assert.is(failures[0].photo, "damaged.png");
      assert.match(failures[0].reason, /^PNG: the file is truncated/);
      assert.equal(contents(join(folder, "shared")), contents(join(folder, "alone")));
      const index = await srmap("index", "shared", "--queue", url);
      assert.match(index.out, /^13 photos, 1 of them failed\./);
      const lines = readFileSync(join(folder, "shared/index.csv"), "utf8").trim().split("\n");
      assert.equal(
        [lines.length, lines.at(-1)?.slice(0, 50)],
        [14, 'damaged.png,,,,,,,,,,,,"PNG: the file is truncated'],
      );
      const later = await srmap("index", "shared");
      assert.match(later.out, /^13 photos, 1 of them failed\./, "what is told once stays");
      server.kill("SIGKILL");
      await ended(server);
    },
  );

  test.needs(programPath, "workers and the server are killed in the middle: nothing is lost", async () => {
    const photos = makePhotos("many", 30);
    await srmap("explain", photos, "--out", "many-alone", ...settings);
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    let server = startServer(port);
    await pause(500);
    const enqueued = await srmap("enqueue", photos, "--out", "many-shared", "--queue", url, ...settings);
    assert.is(enqueued.code, 0, enqueued.err);
    let workers = [worker(url), worker(url)];
    for (let round = 0; round < 4; round++) {
      await pause(1500);
      const [victim, ...others] = workers;
      victim?.kill("SIGKILL");
      if (round === 1) {
        server.kill("SIGKILL");
        await ended(server);
        server = startServer(port);
      }
      workers = [...others, worker(url)];
    }
    const waited = await srmap("queue", "--queue", url, "--wait");
    assert.equal([waited.code, waited.err], [0, ""]);
    assert.match(waited.out, /: 30 done, 0 in work, 0 waiting, 0 parked\n$/);
    for (const child of workers) child.kill("SIGTERM");
    await Promise.all(workers.map(ended));
    await pause(500); // processes of killed workers end by themselves
    const [got, expected] = [contents(join(folder, "many-shared")), contents(join(folder, "many-alone"))];
    assert.equal([...got.keys()], [...expected.keys()]);
    for (const [name, bytes] of expected) assert.is(got.get(name), bytes, name);
    server.kill("SIGKILL");
    await ended(server);
  });

  test.needs(programPath, "a photo that kills its worker is parked after three tries, and said", async () => {
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    const server = startServer(port);
    await pause(500);
    const photos = makePhotos("deadly", 1);
    // Whoever takes the photo dies: the whole worker, as when a machine runs out of memory. The settings are slow ones.
    const slow = ["--model", "vgg-mini", "--sr", "mode=exact", "--sr", "workSize=300"];
    assert.is((await srmap("enqueue", photos, "--out", "deadly-out", "--queue", url, ...slow)).code, 0);
    const { Queue } = await import("bullmq");
    const queue = new Queue("srmap", { connection: { url } });
    const look = async (): Promise<{ taken: number; begun: number; isOver: boolean }> => {
      const [job] = await queue.getJobs(["active", "waiting", "failed", "delayed", "completed"]);
      const progress = job?.progress;
      const begun = typeof progress === "object" && "begun" in progress ? Number(progress.begun) : 0;
      return { taken: job?.attemptsStarted ?? 0, begun, isOver: job?.finishedOn !== undefined };
    };
    // A worker is killed with all of its processes, so that none of them writes what the next one finds done; how often one had begun is counted as the queue does.
    const kill = async (isDue: (before: { taken: number; begun: number }) => Promise<boolean>): Promise<boolean> => {
      const before = await look();
      const child = worker(url, 1, true);
      let isThere = false;
      for (let wait = 0; wait < 3000 && !isThere && !(await look()).isOver; wait++) {
        isThere = await isDue(before);
        if (!isThere) await pause(5);
      }
      process.kill(-mustHave(child.pid, "pid"), "SIGKILL");
      await ended(child);
      return isThere;
    };
    let early = 0;
    for (let round = 0; early < 3 && round < 8; round++) {
      const { begun } = await look();
      if (begun === 2) break; // on a busy machine a worker may have begun before it was killed
      await kill(async ({ taken }) => (await look()).taken > taken);
      if ((await look()).begun === begun) early++;
    }
    assert.is((await look()).isOver, false, "workers that had not begun do not count");
    for (let round = 0; round < 20 && !(await look()).isOver; round++)
      await kill(async ({ begun }) => (await look()).begun > begun);
    await queue.close();
    const state = await srmap("queue", "--queue", url);
    assert.is(state.code, 1, state.out);
    assert.match(
      state.out,
      /: 0 done, 0 in work, 0 waiting, 1 parked\n {2}000\.png: its worker ended, or fell silent, 3 times in a row\.\n$/,
    );
    const back = await srmap("queue", "--queue", url, "--retry");
    assert.match(back.out, /: 0 done, 0 in work, 1 waiting, 0 parked\n$/);
    const after = await srmap("work", "--queue", url, "--jobs", "1", "--until-empty");
    assert.equal(
      [after.code, after.out.match(/1 photos? done.*/)?.[0]],
      [0, "1 photos done, 0 parked."],
      "put back, it has its tries again",
    );
    server.kill("SIGKILL");
    await ended(server);
  });

  test("nothing is left running, also after a test that failed", async () => {
    const left = [...children];
    for (const child of left) child.kill("SIGKILL");
    await Promise.all(left.map(ended));
    assert.is(children.size, 0);
  });
});
