import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import type { Network } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { fileSource } from "../../host/files/source.ts";
import { type LoadOptions, loadNetwork } from "../../host/network/load.ts";
import { openWeights } from "../../weights-loader/index.ts";
import { correlation, relativeL2 } from "../support/close.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// Networks as large as people's, made by test/reference/full-size.py while the test runs and thrown away: up to 4 GB each. The
// Python in SRMAP_PYTHON needs PyTorch and zennit: SRMAP_PYTHON=python npm run full-size. Results: docs/weights.md.

interface Manifest {
  readonly versions: Readonly<Record<string, string>>;
  readonly inputShape: readonly number[];
  readonly target: number;
  readonly files: readonly string[];
  /** Of part "formats": every tensor's shape and the checksum of its float32 bytes. */
  readonly tensors?: Readonly<Record<string, { readonly shape: readonly number[]; readonly sha256: string }>>;
}

/** What the producers' own arithmetic gives, in float64 and in float32. */
interface Reference {
  readonly exact: Float64Array;
  readonly single: Float32Array;
}

const folder = join(root, "build/full-size");
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

function make(python: string, part: string, model: string): Manifest {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const script = join(root, "test/reference/full-size.py");
  execFileSync(python, [script, folder, part, model], { stdio: ["ignore", "ignore", "pipe"], maxBuffer: 1 << 26 });
  return JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest; // written by our own script
}

const bytesOf = (name: string): ArrayBuffer => new Uint8Array(readFileSync(join(folder, name))).buffer;
const reference = (name: string): Reference => ({
  exact: new Float64Array(bytesOf(`${name}.f64`)),
  single: new Float32Array(bytesOf(`${name}.f32`)),
});
const input = ({ inputShape }: Manifest): Tensor => tensor(inputShape, new Float32Array(bytesOf("input.bin")));

const figure = (value: number): string => value.toExponential(1);

/** Float32 in another order of summation is about as far from float64 as the producer's own float32: eight times is allowed, or 1e-5. */
function assertNear(actual: Float32Array, { exact, single }: Reference, what: string): string {
  const [ours, theirs] = [relativeL2(actual, exact), relativeL2(single, exact)];
  assert.ok(ours <= Math.max(8 * theirs, 1e-5), `${what}: ${ours} from float64, the producer's float32 ${theirs}`);
  return `${what} ${figure(ours)} from float64 (producer's float32 ${figure(theirs)})`;
}

// Relevance is not continuous: a max pool's near-tie, or a residual sum that is 0 but for rounding, falls to one side or the other. By
// Winograd's algorithm, whose rounding errors are a few times larger, one such neuron of ResNet-18 moves its map by 2e-4.
const discontinuity = 1e-3;

async function load(model: string | undefined, file: string, options: LoadOptions = {}): Promise<Network> {
  return loadNetwork(model, join(folder, file), options);
}

suite("full size", (test) => {
  const formats = "AlexNet and VGG-16 in seven formats: the same tensors bit for bit, the same logits";
  test.needsVariable("SRMAP_PYTHON", formats, async (python) => {
    for (const model of ["alexnet", "vgg16"]) {
      const manifest = make(python, "formats", model);
      const image = input(manifest);
      const hashes = new Set<string>();
      let agreement = "";
      for (const file of manifest.files) {
        const source = await fileSource(join(folder, file));
        const opened = await openWeights(source, { name: file });
        for (const [name, { shape, sha256 }] of Object.entries(manifest.tensors ?? {})) {
          const values = await opened.read(name);
          assert.equal(opened.tensors.get(name)?.shape, shape, `${file}: ${name}`);
          const hash = createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
          assert.is(hash.digest("hex"), sha256, `${file}: ${name}`);
        }
        await source.close();
        const describes = /\.(onnx|caffemodel)$/.test(file);
        const preprocess = file.endsWith(".onnx") ? "torchvision" : "caffe-reference";
        const network = await load(describes ? undefined : model, file, describes ? { preprocess } : {});
        const logits = network.forward(image).data;
        agreement = assertNear(logits, reference("logits"), "logits");
        hashes.add(createHash("sha256").update(new Uint8Array(logits.buffer)).digest("hex"));
      }
      assert.is(hashes.size, 1, "the same logits from every format");
      const sizes = manifest.files.map((file) => `${file} ${(statSync(join(folder, file)).size / 1e6).toFixed(1)} MB`);
      const count = Object.keys(manifest.tensors ?? {}).length;
      console.log(`\n${model}: ${count} tensors equal bit for bit in ${sizes.join(", ")}; ${agreement}`);
    }
  });

  const parts = [
    ...["alexnet", "vgg16", "squeezenet1_1", "resnet18", "googlenet"].map((model) => ["exported", model] as const),
    ["lrn", "bvlc_alexnet"] as const,
  ];
  test.needsVariable("SRMAP_PYTHON", "six networks: logits of PyTorch, epsilonPlus of zennit", async (python) => {
    for (const [part, model] of parts) {
      const manifest = make(python, part, model);
      for (const file of manifest.files) {
        for (const algorithm of ["direct", "auto"] as const) {
          const network = await load(undefined, file, { preprocess: "torchvision", algorithm });
          const logits = network.forward(input(manifest)).data;
          const start = new Float32Array(logits.length);
          start[manifest.target] = logits[manifest.target] ?? Number.NaN;
          const map = network.relevancePlan(compositeByName("epsilonPlus")).run(start).relevance.data;
          const expected = reference("relevance");
          const off = relativeL2(map, expected.exact);
          const r = correlation(map, expected.exact);
          assert.ok(
            off < discontinuity && r > 0.9999,
            `${model} (${part}), ${file}, ${algorithm}: ${off} off, correlation ${r}`,
          );
          if (algorithm === "direct") assertNear(map, expected, `${file}: epsilonPlus`);
          const theirs = figure(relativeL2(expected.single, expected.exact));
          const about = `epsilonPlus ${figure(off)} (producer's float32 ${theirs}), correlation 1 - ${figure(1 - r)}`;
          console.log(
            `\n${model}, ${file}, ${algorithm}: ${assertNear(logits, reference("logits"), "logits")}; ${about}`,
          );
        }
      }
    }
  });
});
