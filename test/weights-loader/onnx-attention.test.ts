import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { bytesSource, importOnnx } from "../../weights-loader/index.ts";
import { rejection } from "../support/fixtures.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const cases: readonly { readonly name: string; readonly model: string }[] = JSON.parse(
  readFileSync(`${root}test/golden/onnx-attention.json`, "utf8"),
);

// Made by test/reference/make-onnx-attention.py.
suite("ONNX files with attention", (test) => {
  for (const { name, model } of cases) {
    test(`${name} is refused as what it is`, async () => {
      const source = bytesSource(new Uint8Array(Buffer.from(model, "base64")));
      const error = await rejection(importOnnx(source, { name: "own" }));
      assert.is(
        `${error}`,
        'UnsupportedError: weights "own": it is a transformer, or has attention inside (node "MatMul p"); only convolutional networks are explained here. For transformers see AttnLRP (the package LXT).',
      );
    });
  }
});
