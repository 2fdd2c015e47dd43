import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { fixturePath } from "./support/fixtures.ts";
import { installPacked } from "./support/packed.ts";
import { root } from "./support/paths.ts";
import { writeSeededWeights } from "./support/seeded-weights.ts";
import { suite } from "./support/suite.ts";

interface PackageFile {
  version: string;
  bin: Record<string, string>;
  exports: Record<string, string | { types: string; default: string }>;
  alias: Record<string, string>;
}

// A project that has installed the packed package.
const project = mkdtempSync(join(tmpdir(), "srmap-package-"));
process.on("exit", () => rmSync(project, { recursive: true, force: true }));
const packed = join(project, "node_modules/srmap");
const packageFile = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as PackageFile;

function node(...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: project, encoding: "utf8" });
}

suite("package", (test) => {
  test("every exported file and the command are in the package", () => {
    installPacked(project);
    const files = Object.values(packageFile.exports).flatMap((entry) =>
      typeof entry === "string" ? entry : Object.values(entry),
    );
    for (const file of [...files, ...Object.values(packageFile.bin), "LICENSE", "NOTICE"]) {
      assert.ok(existsSync(join(packed, file)), `${file} is missing`);
    }
    assert.ok(!existsSync(join(packed, "build/test")), "tests are not packed");
    const { size } = statSync(join(project, `srmap-${packageFile.version}.tgz`));
    assert.ok(size <= 10.5e6, `the package has ${size} bytes`);
  });

  test("the library knows its own version", () => {
    const code = "import('srmap/node').then(({ version }) => console.log(version))";
    assert.is(node("-e", code), `${packageFile.version}\n`);
  });

  test("CommonJS requires it", () => {
    const code =
      'const { explain } = require("srmap"); console.log(typeof explain, typeof require("srmap/node").loadNetwork)';
    assert.is(node("-e", code), "function function\n");
  });

  test("programs whose compiler reads no exports (moduleResolution node10) find the types of every entry", () => {
    const names = Object.entries(packageFile.exports).flatMap(([name, entry]) =>
      typeof entry === "string" ? [] : [name.replace(".", "srmap")],
    );
    const uses = names.map((name, i) => `import * as entry${i} from "${name}";\nexport const use${i} = entry${i};\n`);
    const wrong = "// @ts-expect-error: it is typed, not any\nexport const bad: never = entry0.explain(1);\n";
    writeFileSync(join(project, "classic.ts"), uses.join("") + wrong);
    symlinkSync(join(root, "node_modules/@types"), join(project, "node_modules/@types"), "junction");
    const compilerOptions = {
      ...{ noEmit: true, strict: true, target: "es2022", skipLibCheck: false },
      ...{ module: "esnext", moduleResolution: "node10", lib: ["es2022", "dom"], types: ["node"] },
    };
    writeFileSync(join(project, "classic.json"), JSON.stringify({ compilerOptions, files: ["classic.ts"] }));
    // TypeScript 7 knows this way of resolving no more; attw brings the last one that does.
    const attw = createRequire(createRequire(import.meta.url).resolve("@arethetypeswrong/cli/package.json"));
    const core = createRequire(attw.resolve("@arethetypeswrong/core"));
    const run = spawnSync(process.execPath, [core.resolve("typescript/lib/tsc.js"), "-p", "classic.json"], {
      cwd: project,
      encoding: "utf8",
    });
    assert.is(run.stdout + run.stderr, "");
  });

  test("tools that read no exports (Parcel) find every entry by alias", () => {
    const files = Object.entries(packageFile.exports)
      .filter(([name]) => name !== "." && name !== "./package.json")
      .map(([name, entry]) => [name, typeof entry === "string" ? entry : entry.default]);
    assert.equal(packageFile.alias, Object.fromEntries(files));
  });

  test("the installed command explains a photo", () => {
    writeSeededWeights(join(project, "weights.safetensors"), "squeezenet1_1", 1);
    const main = join(packed, packageFile.bin["srmap"] ?? "");
    node(
      main,
      "explain",
      join(root, "examples/cat.jpg"),
      "-m",
      "squeezenet1_1",
      "-w",
      "weights.safetensors",
      "--sr",
      "workSize=60",
    );
    assert.ok(existsSync(join(project, "srmap-out/cat.jpg/panel.png")));
  });

  test("without the optional package, a Keras file is refused with what to run", () => {
    const main = join(packed, packageFile.bin["srmap"] ?? "");
    const run = spawnSync(process.execPath, [main, "inspect", fixturePath("keras/keras2-chain.h5")], {
      cwd: project,
      encoding: "utf8",
    });
    assert.is(
      run.stderr,
      'srmap: weights "keras2-chain.h5": HDF5 files (Keras) are read by the package h5wasm, which is not installed. Run: npm install h5wasm@0.10.3\n',
    );
    assert.is(run.status, 1);
  });

  test("without the optional package, a WebP is refused with what to run", () => {
    const main = join(packed, packageFile.bin["srmap"] ?? "");
    const photo = join(root, "test/golden/images/other/lossy.webp");
    const run = spawnSync(process.execPath, [main, "explain", photo], { cwd: project, encoding: "utf8" });
    assert.is(
      run.stderr,
      `${photo}: image: WebP photos are read by the package sharp, which is not installed. Run: npm install sharp@0.35.5, or convert the photo to PNG or JPEG.\n`,
    );
    assert.is(run.status, 1);
  });

  test("the library's entries can be imported", () => {
    const code = `
      const names = ["srmap", "srmap/node", "srmap/weights", "srmap/labels/imagenet"];
      const [{ explain, Network }, { loadNetwork, readImage }, { openWeights }, { imagenetLabels }] = await Promise.all(
        names.map((name) => import(name)),
      );
      const { existsSync } = await import("node:fs");
      const { fileURLToPath } = await import("node:url");
      const kernels = existsSync(fileURLToPath(import.meta.resolve("srmap/kernels.wasm")));
      console.log([explain, Network, loadNetwork, readImage, openWeights].every((f) => typeof f === "function"), imagenetLabels.length, kernels);
    `;
    assert.is(node("--input-type=module", "-e", code), "true 1000 true\n");
  });

  test("the browser's files need nothing else, say whence they come, and are as large as README says", () => {
    const folder = join(packed, "build/browser");
    const seen = new Set<string>();
    const follow = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, from = ""] of readFileSync(join(folder, file), "utf8").matchAll(/(?:from|import)\s*"([^"]+)"/g)) {
        assert.ok(from.startsWith("./"), `${file} imports "${from}"`);
        follow(from.slice(2));
      }
    };
    follow("engine.js");
    const contents = [...seen].map((file) => readFileSync(join(folder, file)));
    const zipped = contents.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0);
    const kernels = gzipSync(readFileSync(join(packed, "build/kernels-as/kernels.wasm")), { level: 9 }).length;
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const size = (file: string): number => gzipSync(readFileSync(join(folder, file)), { level: 9 }).length;
    const least = size("minimal.js") + size("kernels-minimal.wasm");
    assert.ok(least <= 44_200, `the minimal build has ${least} bytes with its kernels, compressed`);
    const relevance = size("relevance.js") + size("kernels-relevance.wasm");
    assert.ok(relevance <= 32_600, `the build for relevance alone has ${relevance} bytes with its kernels, compressed`);
    for (const [what, bytes] of [
      ["`srmap/browser`", zipped],
      ["`srmap/kernels.wasm`", kernels],
    ] as const) {
      const said = Number(new RegExp(`${what} \\((\\d+) kB gzip\\)`).exec(readme)?.[1]);
      assert.ok(
        Math.abs(said * 1000 - bytes) <= 1500,
        `${what} has ${bytes} bytes, compressed; README says ${said} kB`,
      );
    }
    follow("weights.js");
    follow("labels-imagenet.js");
    for (const file of seen) {
      assert.ok(readFileSync(join(folder, file), "utf8").startsWith("/*! srmap"), `${file} says whose it is`);
      // The maps stay in the build: they name files that the package has not.
      const map = JSON.parse(readFileSync(join(root, "build/browser", `${file}.map`), "utf8")) as { sources: string[] };
      assert.ok(
        map.sources.every((source) =>
          /^\.\.\/(\.\.\/(engine|weights-loader)\/.*\.ts|kernels-as\/kernel-calls\.js)$/.test(source),
        ),
        `${file}: ${map.sources}`,
      );
    }
  });

  test("the page's first load, less the weights, stays under 150 kB", () => {
    const files = ["page/index.html", "page/style.css", "page/icon.svg", "page/page.js", "page/bundled-worker.js"];
    const bytes = [...files, "page/thread.js", "kernels-as/kernels-shared.wasm"].reduce(
      (sum, file) => sum + gzipSync(readFileSync(join(packed, "build", file)), { level: 9 }).length,
      0,
    );
    assert.ok(bytes < 150_000, `${bytes} bytes, compressed`);
  });

  test("the browser's engine computes the bytes of the library's, the smallest build those of algorithm \"direct\"", () => {
    const code = `
      const { readFileSync } = await import("node:fs");
      const { fileURLToPath } = await import("node:url");
      const module = new WebAssembly.Module(readFileSync(fileURLToPath(import.meta.resolve("srmap/kernels.wasm"))));
      const pad = [1, 1, 1, 1];
      const definition = {
        name: "small", inputShape: [3, 20, 20], output: "fc",
        nodes: [
          { name: "conv", inputs: ["input"], op: "conv2d", outChannels: 16, kernelShape: [3, 3], pads: pad, weight: "w1" },
          { name: "relu", inputs: ["conv"], op: "relu" },
          { name: "mid", inputs: ["relu"], op: "conv2d", outChannels: 16, kernelShape: [3, 3], pads: pad, weight: "w3" },
          { name: "relu2", inputs: ["mid"], op: "relu" },
          { name: "depth", inputs: ["relu2"], op: "conv2d", outChannels: 16, kernelShape: [3, 3], group: 16, pads: pad, weight: "w4" },
          { name: "sum", inputs: ["depth", "relu2"], op: "add" },
          { name: "pool", inputs: ["sum"], op: "maxPool2d", kernelShape: [2, 2], strides: [2, 2] },
          { name: "flat", inputs: ["pool"], op: "flatten" },
          { name: "fc", inputs: ["flat"], op: "dense", outFeatures: 3, weight: "w2" },
        ],
        preprocessing: { resize: "none", resizeTo: 20, channelOrder: "rgb", scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
      };
      const values = (length) => Float32Array.from({ length }, (_, i) => ((i * 7919) % 211) / 105 - 1);
      const bound = ({ instantiateKernels, Network }, options, kernels = module) => {
        const network = new Network(instantiateKernels(kernels), definition, options);
        for (const { name, shape } of network.parameters) network.setRows(name, 0, values(shape.reduce((a, b) => a * b)));
        return network;
      };
      const photo = { shape: [3, 20, 20], data: values(1200) };
      const run = (library, ...how) => library.explain(bound(library, ...how), photo, { salientRelevance: { workSize: 40 } });
      const names = ["srmap", "srmap/browser", "srmap/browser/weights", "srmap/browser/labels/imagenet", "srmap/browser/minimal", "srmap/browser/relevance"];
      const kernelsOf = (name) => new WebAssembly.Module(readFileSync(fileURLToPath(import.meta.resolve(name))));
      const [fewer, fewest] = ["srmap/kernels-minimal.wasm", "srmap/kernels-relevance.wasm"].map(kernelsOf);
      const [one, two, { openWeights }, { imagenetLabels }, least, bare] = await Promise.all(names.map((name) => import(name)));
      const same = (a, b) => ["logits", "relevance", "salientRelevance"].every((key) =>
        Buffer.from(a[key].data.buffer).equals(Buffer.from(b[key].data.buffer)));
      const direct = run(one, { algorithm: "direct" });
      console.log(same(run(one), run(two)), same(direct, run(least, {}, fewer)), typeof openWeights, imagenetLabels.length);
      const [alone] = bare.relevanceOfTargets(bound(bare, {}, fewest), photo, ["top1"]);
      console.log(same({ ...alone, salientRelevance: direct.salientRelevance }, direct));
      const said = (call) => { try { call(); } catch (error) { console.log(error.message); } };
      const network = bound(least, {}, fewer);
      for (const options of [{ target: { probability: 1 } }, { at: "relu" }, { composite: direct.composite }, { salientRelevance: { relevanceBlur: 5 } }])
        said(() => least.explain(network, photo, options));
      said(() => bound(least, { rows: { readRows: () => values(1) } }, fewer));
      said(() => least.explain(network, photo, { composite: "gamma" }));
    `;
    assert.equal(node("--input-type=module", "-e", code).trimEnd().split("\n"), [
      "true true function 1000",
      "true",
      ...[
        "target: one that is no class",
        "explain: relevance at a layer",
        "explain: a composite as data, maxPool, lrn",
        "salient relevance: another relevanceBlur",
        "network: rows",
      ].map((what) => `${what}: not in this build of srmap. Take srmap/browser instead of srmap/browser/minimal.`),
      'composite "gamma": unknown. Known are epsilonPlus.',
    ]);
  });
});
