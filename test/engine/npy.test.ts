import * as assert from "uvu/assert";
import { type NpyArray, parseNpy, writeNpy } from "../../weights-loader/numpy/npy.ts";
import { suite } from "../support/suite.ts";

/** A .npy file with any header, version 1 unless told. */
function file(header: string, dataBytes: number, version = 1): Uint8Array {
  const lengthField =
    version === 1 ? [header.length & 255, header.length >> 8] : [header.length & 255, header.length >> 8, 0, 0];
  return Uint8Array.from([
    ...Buffer.from("\x93NUMPY", "latin1"),
    version,
    0,
    ...lengthField,
    ...Buffer.from(header, "latin1"),
    ...new Uint8Array(dataBytes),
  ]);
}

const header = (descr: string, shape: string, order = "False"): string =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }   \n`;

const refused: readonly (readonly [what: string, bytes: Uint8Array, message: string])[] = [
  ["an empty file", new Uint8Array(0), `npy "a.npy": a .npy file must begin with "\\x93NUMPY", got an empty file.`],
  [
    "another format",
    Buffer.from("PK\x03\x04 this is a zip file"),
    `npy "a.npy": a .npy file must begin with "\\x93NUMPY", got something else.`,
  ],
  ["an unknown version", file(header("'<f4'", "(1,)"), 4, 9), `npy "a.npy": format version must be 1, 2 or 3, got 9.`],
  [
    "a header cut short",
    file(header("'<f4'", "(1,)"), 0).slice(0, 40),
    `npy "a.npy": header needs 71 bytes, got 40. The file is truncated; copy it again.`,
  ],
  [
    "a header without shape",
    file("{'descr': '<f4', 'fortran_order': False}\n", 4),
    `npy "a.npy": header must hold 'descr', 'fortran_order' and 'shape', got "{'descr': '<f4', 'fortran_order': False}". Save the array again with numpy.save.`,
  ],
  [
    "a key given twice",
    file("{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}\n", 4),
    `npy "a.npy": header must hold 'descr', 'fortran_order' and 'shape', got "{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}". Save the array again with numpy.save.`,
  ],
  [
    "negative sizes",
    file(header("'<f4'", "(-1,)"), 4),
    `npy "a.npy": header must hold 'descr', 'fortran_order' and 'shape', got "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }". Save the array again with numpy.save.`,
  ],
  [
    "Fortran order",
    file(header("'<f4'", "(2, 2)", "True"), 16),
    `npy "a.npy": array must be in C order, got Fortran order. Save numpy.ascontiguousarray of it.`,
  ],
  [
    "pickled objects",
    file(header("'|O'", "(1,)"), 4),
    `npy "a.npy": arrays of pickled Python objects are not read. Save a float32 array.`,
  ],
  [
    "big endian",
    file(header("'>f4'", "(1,)"), 4),
    `npy "a.npy": element type must be one of <f4, <f8, |u1, <i8, got >f4. Convert it with .astype("<f4").`,
  ],
  [
    "records",
    file(header("[('a', '<f4')]", "(1,)"), 4),
    `npy "a.npy": element type must be one of <f4, <f8, |u1, <i8, got [('a', '<f4')]. Convert it with .astype("<f4").`,
  ],
  [
    "fewer data than the shape says",
    file(header("'<f4'", "(2, 3)"), 20),
    `npy "a.npy": shape [2,3] of <f4 needs 24 bytes of data, got 20. The file is truncated or its header lies.`,
  ],
  [
    "more data than the shape says",
    file(header("'|u1'", "()"), 2),
    `npy "a.npy": shape [] of |u1 needs 1 bytes of data, got 2. The file is truncated or its header lies.`,
  ],
  [
    "a shape beyond all memory",
    file(header("'<f4'", "(99999999999, 99999999999)"), 4),
    `npy "a.npy": shape [99999999999,99999999999] of <f4 needs 3.99999999992e+22 bytes of data, got 4. The file is truncated or its header lies.`,
  ],
  [
    "a header of absurd length",
    file(`${header("'<f4'", "(1,)")}${" ".repeat(20000)}`, 4, 2),
    `npy "a.npy": header must be at most 10000 bytes long, got 20061.`,
  ],
];

suite("npy", (test) => {
  const arrays: readonly NpyArray[] = [
    { shape: [1, 3], data: Float32Array.of(1.5, -2.25, Number.POSITIVE_INFINITY) },
    { shape: [1], data: Float64Array.of(0.1) },
    { shape: [1, 2, 3], data: Uint8Array.of(0, 1, 2, 3, 4, 255) },
    { shape: [], data: BigInt64Array.of(-(2n ** 40n)) },
    { shape: [0, 3], data: new Float32Array(0) },
  ];
  for (const array of arrays) {
    test(`${array.data.constructor.name} [${array.shape}] survives writing and reading`, () => {
      const bytes = writeNpy(array);
      assert.is((bytes.length - array.data.byteLength) % 64, 0, "data must begin at a multiple of 64");
      assert.equal(parseNpy(bytes, "a.npy"), array);
      const shifted = new Uint8Array(bytes.length + 1);
      shifted.set(bytes, 1);
      assert.equal(parseNpy(shifted.subarray(1), "a.npy"), array, "an unaligned view reads the same");
      assert.equal(parseNpy(Buffer.from(bytes), "a.npy"), array, "a pooled Buffer reads the same");
    });
  }

  test("a float32 array is written as numpy 2.3 writes it", () => {
    const expected = `\x93NUMPY\x01\x00v\x00${"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }".padEnd(117)}\n\x00\x00\xc0?\x00\x00\x10\xc0\x00\x00\x00\x00`;
    const bytes = writeNpy({ shape: [1, 3], data: Float32Array.of(1.5, -2.25, 0) });
    assert.is(Buffer.from(bytes).toString("latin1"), expected);
  });

  test("a shape that does not fit the data is not written", () => {
    assert.throws(
      () => writeNpy({ shape: [2], data: new Float32Array(3) }),
      (error: Error) => error.message === "npy: shape [2] needs 2 elements, got 3.",
    );
  });

  test("format version 2 and keys in any order are read", () => {
    const bytes = file(`{"shape": (2,), 'fortran_order': False, 'descr': '|u1'}\n`, 2, 2);
    assert.equal(parseNpy(bytes, "a.npy"), { shape: [2], data: new Uint8Array(2) });
  });

  for (const [what, bytes, message] of refused) {
    test(`refuses ${what}`, () => {
      assert.throws(
        () => parseNpy(bytes, "a.npy"),
        (error: Error) => {
          assert.is(error.message, message);
          return true;
        },
      );
    });
  }
});
