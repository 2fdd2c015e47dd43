import * as assert from "uvu/assert";
import { bytesSource, openWeights } from "../../weights-loader/index.ts";
import { assertReadsAs, expectedTensors, fixtureBytes, refusal } from "../support/fixtures.ts";
import { suite } from "../support/suite.ts";

suite("NumPy", (test) => {
  for (const [file, format] of [
    ["numpy-stored.npz", "npz"],
    ["numpy-deflated.npz", "npz"],
    ["numpy-one.npy", "npy"],
  ] as const) {
    test(`reads what NumPy wrote: ${file}`, async () => {
      const weights = await openWeights(bytesSource(fixtureBytes(file)), { name: file });
      assert.is(weights.format, format);
      await assertReadsAs(weights, expectedTensors(file));
    });
  }

  test("refuses pickled objects and big-endian numbers", async () => {
    assert.is(
      await refusal(fixtureBytes("bad-objects.npz")),
      `UnsupportedError: weights "bad": array "x.npy": element type {'descr': '|O', 'fortran_order': False, 'shape': (1,), } is not supported.`,
    );
    assert.is(
      await refusal(fixtureBytes("bad-endian.npy")),
      `UnsupportedError: weights "bad": big-endian elements; only little-endian files are read.`,
    );
  });

  test("an array that inflates to less than it claims is refused", async () => {
    const bytes = fixtureBytes("numpy-deflated.npz");
    // The sizes of "zeros.npy" in the directory: the last entry's uncompressed size is 24 bytes into its record.
    const view = new DataView(bytes.buffer);
    const record = bytes.length - 22 - (46 + "zeros.npy".length);
    assert.is(view.getUint32(record + 24, true), 128 + 300 * 40 * 4);
    view.setUint32(record + 24, 128 + 300 * 40 * 4 + 100, true);
    assert.is(
      await refusal(bytes),
      `FormatError: weights "bad": array "zeros.npy": 48228 bytes were promised, 48128 came out.`,
    );
  });
});
