import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { asBytes } from "../../engine/basics/bytes.ts";
import { decodeImage } from "../../host/photos/decode.ts";
import { holders } from "../support/holders.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// One of each way through the decoders: an Adobe JPEG whose segment the decoder once edited in place, grey, progressive, CMYK,
// interlaced and transparent PNG.
const files = ["adobe-ycc420.jpg", "grey.jpg", "progressive420.jpg", "cmyk.jpg", "rgb8-interlaced.png", "rgba16.png"];

suite("photo bytes", (test) => {
  for (const file of files) {
    test(`${file}: the same pixels twice from whatever holds the bytes, which stay as they are`, () => {
      const bytes = Uint8Array.from(readFileSync(join(root, "test/golden/images/decode", file)));
      const expected = decodeImage(bytes.slice());
      for (const [what, hold] of Object.entries(holders(bytes))) {
        const held = hold();
        assert.equal(decodeImage(held), expected, what);
        assert.equal(decodeImage(held), expected, `${what}, again`);
        assert.equal(Buffer.compare(asBytes(held, "photo"), bytes), 0, `${what} was changed`);
      }
    });
  }

  test("what is no bytes is refused by name", () => {
    const decode = decodeImage as (bytes: unknown) => unknown;
    const message = (kind: string): string =>
      `photo: its bytes must be a Uint8Array, Buffer or ArrayBuffer, got ${kind}.`;
    for (const [value, kind] of [
      ["cat.jpg", "String"],
      [[1, 2], "Array"],
      [undefined, "Undefined"],
      [new Blob([]), "Blob"],
    ] as const) {
      assert.throws(
        () => decode(value),
        (error: unknown) => error instanceof TypeError && error.message === message(kind),
      );
    }
  });

  test("behind the door nothing is a Buffer, whose slice is no copy", () => {
    assert.not(asBytes(Buffer.from([1, 2, 3]), "photo") instanceof Buffer);
  });
});
