import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import * as assert from "uvu/assert";
import { mustHave } from "../../engine/basics/must-have.ts";
import { explain } from "../../engine/explain.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { readImage } from "../../host/photos/read.ts";
import { freePort } from "../support/free-port.ts";
import { writeNoise } from "../support/noise-network.ts";
import { root } from "../support/paths.ts";
import { runtimePath, runtimesFolder } from "../support/runtimes.ts";
import { serveFiles } from "../support/serve.ts";
import { suite } from "../support/suite.ts";

const photo = join(root, "examples/coffee.jpg");
const qemu = "/usr/bin/qemu-aarch64";
const armLibraries = "/usr/aarch64-linux-gnu";

/** A Node that .ci/run unpacks. */
function nodePath(folder: string): string | undefined {
  const path = join(runtimesFolder, "..", folder, "package/bin/node");
  return existsSync(path) ? path : undefined;
}

/** SHA-256 of the default network's Salient Relevance map of the coffee, by this Node. */
async function expected(): Promise<{ label: string; sha256: string }> {
  const { target, salientRelevance } = explain(await loadNetwork(undefined), await readImage(photo), {
    salientRelevance: { mode: "fast" },
  });
  const { buffer, byteOffset, byteLength } = salientRelevance.data;
  return { label: target.label, sha256: hash(new Uint8Array(buffer, byteOffset, byteLength)) };
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A folder in which `srmap` is this clone, removed afterwards. */
async function inProject(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "srmap-runtime-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/srmap"), "dir");
    writeFileSync(join(folder, "package.json"), '{ "type": "module", "dependencies": { "srmap": "*" } }');
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Asks until the server is up, at most 20 s. */
async function answerOf(url: string, body?: Uint8Array<ArrayBuffer>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetch(url, body === undefined ? {} : { method: "POST", body });
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** What a worker of examples/worker-edge finds beside its script: files as data, and the address of its weights. */
interface EdgeSettings {
  readonly modules: readonly (readonly [name: string, path: string])[];
  readonly weights?: string;
}

/** Runs a worker of examples/worker-edge in workerd and hands over its address and process. */
async function inWorkerd(
  program: string,
  script: string,
  { modules, weights }: EdgeSettings,
  work: (url: string, pid: number) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "srmap-workerd-"));
  let server: ChildProcess | undefined;
  try {
    await build({
      entryPoints: [join(root, "examples/worker-edge", script)],
      bundle: true,
      format: "esm",
      outfile: join(folder, "worker.js"),
      external: ["./kernels.wasm", "./network.bin"],
      alias: {
        srmap: join(root, "build/engine/index.js"),
        "srmap/models": join(root, "build/engine/models/index.js"),
        "srmap/photos": join(root, "build/photos/index.js"),
        "srmap/weights": join(root, "build/weights-loader/index.js"),
      },
      logLevel: "silent",
    });
    copyFileSync(join(root, "build/kernels-as/kernels.wasm"), join(folder, "kernels.wasm"));
    for (const [name, path] of modules) copyFileSync(path, join(folder, name));
    const port = await freePort();
    writeFileSync(
      join(folder, "config.capnp"),
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .mainWorker), (name = "internet", network = (allow = ["private"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const mainWorker :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.js"),
    (name = "kernels.wasm", wasm = embed "kernels.wasm"),
    ${modules.map(([name]) => `(name = "${name}", data = embed "${name}"),`).join("\n    ")}
  ],
  bindings = [${weights === undefined ? "" : `(name = "WEIGHTS", text = "${weights}")`}],
  compatibilityDate = "2026-01-01",
);
`,
    );
    server = spawn(program, ["serve", join(folder, "config.capnp")], { stdio: ["ignore", "inherit", "inherit"] });
    await work(`http://127.0.0.1:${port}/`, mustHave(server.pid, "process"));
  } finally {
    server?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Most memory that a process has had. */
function peakBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
}

suite("other runtimes give Node's bytes", (test) => {
  for (const [name, args] of [
    ["deno", ["run", "--node-modules-dir=manual", "--allow-read", "--allow-env"]],
    ["bun", []],
  ] as const) {
    test.needsProgram(runtimePath(name), `the runtime ${name}`, `${name} runs examples/deno`, async (program) => {
      const { label, sha256 } = await expected();
      await inProject(async (folder) => {
        const script = join(folder, "explain.js");
        copyFileSync(join(root, "examples/deno/explain.js"), script);
        const out = execFileSync(program, [...args, script, photo], { cwd: folder, encoding: "utf8" });
        assert.match(out, new RegExp(`^${label} `));
        assert.is(out.trim().split("\n").at(-1), sha256);
      });
    });
  }

  test.needsProgram(runtimePath("deno"), "the runtime deno", "deno says what is wrong in one sentence", (program) => {
    const main = join(root, "build/cli/main.js");
    const run = spawnSync(
      program,
      ["run", "-A", "--node-modules-dir=manual", main, "explain", photo, "-w", "/nothing"],
      {
        encoding: "utf8",
      },
    );
    assert.is(run.stderr, "srmap: weights /nothing: there is no such file or folder.\n");
    assert.is(run.status, 1);
  });

  // Node of other versions and of ARM64, as .ci/run unpacks them; ARM64 by an emulator, with the C library of Debian's packages.
  for (const version of ["22", "24", "26"]) {
    const program = nodePath(`node-${version}`);
    test.needsProgram(program, `Node ${version}`, `Node ${version} runs examples/deno`, async (path) => {
      const { label, sha256 } = await expected();
      const out = execFileSync(path, [join(root, "examples/deno/explain.js"), photo], { encoding: "utf8" });
      assert.match(out, new RegExp(`^${label} `));
      assert.is(out.trim().split("\n").at(-1), sha256);
    });
  }
  const arm64 = [qemu, armLibraries].every((path) => existsSync(path)) ? nodePath("node-arm64") : undefined;
  test.needsProgram(arm64, "Node for ARM64 and qemu-user", "Node on ARM64 runs examples/deno", async (path) => {
    const { label, sha256 } = await expected();
    const args = ["-L", armLibraries, path, join(root, "examples/deno/explain.js"), photo];
    const out = execFileSync(qemu, args, { encoding: "utf8" });
    assert.match(out, new RegExp(`^${label} `));
    assert.is(out.trim().split("\n").at(-1), sha256);
  });

  test.needsProgram(
    runtimePath("workerd"),
    "the runtime workerd",
    "workerd runs examples/worker-edge",
    async (program) => {
      const { label, sha256 } = await expected();
      const network = { modules: [["network.bin", join(root, "models/squeezenet1_1-caffe.safetensors")]] } as const;
      await inWorkerd(program, "worker.js", network, async (url) => {
        const answer = await answerOf(url, new Uint8Array(readFileSync(photo)));
        const bytes = new Uint8Array(await answer.arrayBuffer());
        assert.is(answer.status, 200, Buffer.from(bytes).toString());
        assert.is(answer.headers.get("x-class"), label);
        assert.is(hash(bytes), sha256);
        const refused = await answerOf(url, new TextEncoder().encode("%PDF-1.7"));
        assert.is(refused.status, 422);
      });
    },
  );

  test.needsProgram(
    runtimePath("workerd"),
    "the runtime workerd",
    "workerd explains by AlexNet in int8 within 128 MB (examples/worker-edge/large.js)",
    async (program) => {
      const folder = mkdtempSync(join(tmpdir(), "srmap-edge-"));
      try {
        const weights = join(folder, "alexnet.safetensors");
        writeNoise("alexnet", weights);
        const network = await loadNetwork("alexnet", weights, { lowMemory: true });
        const { salientRelevance } = explain(network, await readImage(photo), { salientRelevance: { mode: "fast" } });
        const { buffer, byteOffset, byteLength } = salientRelevance.data;
        const sha256 = hash(new Uint8Array(buffer, byteOffset, byteLength));
        const files = await serveFiles([["/", `${folder}/`]]);
        try {
          const settings = { modules: [], weights: new URL("alexnet.safetensors", files.url).href } as const;
          await inWorkerd(program, "large.js", settings, async (url, pid) => {
            assert.is((await answerOf(url)).status, 405); // nothing is loaded yet
            const empty = peakBytes(pid);
            const answer = await answerOf(url, new Uint8Array(readFileSync(photo)));
            const bytes = new Uint8Array(await answer.arrayBuffer());
            assert.is(answer.status, 200, Buffer.from(bytes).toString());
            assert.is(hash(bytes), sha256);
            const taken = peakBytes(pid) - empty;
            assert.ok(
              taken > 61e6 && taken < 128e6,
              `${taken} bytes beside the ${empty} of a workerd without a network`,
            );
          });
        } finally {
          await files.close();
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
