import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { elementCount, tensor } from "../../engine/basics/tensor.ts";
import { explain } from "../../engine/explain.ts";
import { bundledWeights } from "../../host/models/bundled.ts";
import { convertFile } from "../../host/network/convert.ts";
import { loadNetwork, openNetwork } from "../../host/network/load.ts";
import { weightRows } from "../../weights-loader/index.ts";
import { fixturePath } from "../support/fixtures.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-low-memory-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

suite("low memory, from files", (test) => {
  for (const precision of ["f32", "f16", "bf16", "int8"] as const) {
    for (const layers of ["dense", "all"] as const) {
      test(`${precision}, ${layers} layers: left in the file or loaded whole, the same bytes`, async () => {
        const path = join(folder, `${precision}-${layers}.safetensors`);
        await convertFile(bundledWeights("alexnet-mini"), path, { model: "alexnet-mini", precision, layers });
        const [whole, low] = [
          await loadNetwork(undefined, path, { algorithm: "direct" }),
          await loadNetwork(undefined, path, { lowMemory: true }),
        ];
        const { inputShape } = whole.definition;
        const input = tensor(inputShape, rng(5).f32(elementCount(inputShape), -1, 1));
        const options = { salientRelevance: { workSize: 40 } };
        const [expected, actual] = [explain(whole, input, options), explain(low, input, options)];
        assert.equal(actual.logits.data, expected.logits.data);
        assert.equal(actual.relevance.data, expected.relevance.data);
        assert.equal(actual.salientRelevance.data, expected.salientRelevance.data);
        assert.ok(low.kernels.arena.usedBytes < whole.kernels.arena.usedBytes);
      });
    }
  }

  test("external data of an ONNX file is read from its own file", async () => {
    const path = fixturePath("onnx-external.onnx");
    const network = await loadNetwork(undefined, path, { preprocess: "torchvision" });
    const opened = await openNetwork(undefined, path, { preprocess: "torchvision" });
    const rows = weightRows(opened.weights);
    const streamed = network.parameters.filter(({ name }) => name === "w1" || name === "w3");
    assert.is(streamed.length, 2);
    for (const { name, shape } of streamed) {
      rows.check([name]);
      assert.equal(rows.readRows(name, 1, 2), await opened.weights.readRows(name, 1, 2), `${name} ${shape}`);
    }
    await opened.close();
  });

  test("rows that do not lie one after the other are refused before anything runs, all in one message", async () => {
    const load = loadNetwork(undefined, fixturePath("onnx-made.onnx"), { preprocess: "torchvision", lowMemory: true });
    const message = await load.then(
      () => "loaded",
      (error: Error) => `${error.name}: ${error.message}`,
    );
    assert.is(
      message,
      'UnsupportedError: weights "onnx-made.onnx": rows of "wg", "wm" do not lie one after the other in this file, so they cannot be read piece by piece. Load it whole, or convert it first (srmap convert).',
    );
  });
});
