import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { UnsupportedError } from "../../engine/index.ts";
import { bytesSource, importOnnx } from "../../weights-loader/index.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const cases: readonly { readonly name: string; readonly model: string }[] = JSON.parse(
  readFileSync(`${root}test/golden/onnx-malformed.json`, "utf8"),
);

const reasons: Readonly<Record<string, string>> = {
  "a slice with two starts for one axis":
    "(Slice): starts [1,1], ends [4,4], steps [1,1] must have one number for each of the axes [2].",
  "a convolution with two pads for two axes": "(Conv): pads [1,1] must be 4 integers for 2 axes.",
  "a convolution with one stride for two axes": "(Conv): strides [2] must be 2 integers for 2 axes.",
  "a pool with two pads for two axes": "(MaxPool): pads [1,1] must be 4 integers for 2 axes.",
  "a transposed convolution with one output pad": "(ConvTranspose): output_padding [1] must be 2 integers for 2 axes.",
};

// Made by test/reference/make-onnx-malformed.py, which makes sure that onnxruntime refuses each.
suite("ONNX files with lists too short or too long", (test) => {
  for (const { name, model } of cases) {
    test(`${name} is refused`, async () => {
      const source = bytesSource(new Uint8Array(Buffer.from(model, "base64")));
      const said = await importOnnx(source, { name: "odd" }).then(
        () => "nothing",
        (error: unknown) => (error instanceof UnsupportedError ? error.message : String(error)),
      );
      assert.is(said, `weights "odd": 1 of 2 nodes are not supported:\n  "odd" ${reasons[name]}`);
    });
  }
});
