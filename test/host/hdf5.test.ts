import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { hdf5Package, hdf5Reader } from "../../host/hdf5/reader.ts";
import { bytesSource, openWeights } from "../../weights-loader/index.ts";
import { fixtureBytes, rejection } from "../support/fixtures.ts";
import { fuzz } from "../support/fuzz.ts";
import { kerasFixture } from "../support/keras.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-hdf5-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The library loops for ever in some files: found after 0.7 s of work, and then a new thread loads it again. */
const longestMs = 3000;

/** Opens a file and reads all of its tensors. */
async function openAndRead({ source, options }: ReturnType<typeof kerasFixture>): Promise<void> {
  const weights = await openWeights(source, options);
  for (const name of weights.tensors.keys()) await weights.read(name);
}

const damage = "It is truncated or damaged: get a fresh copy.";
const refusals: readonly [string, string][] = [
  [
    "bad-soft-link.h5",
    `UnsupportedError: weights "bad-soft-link.h5": "/a/kernel:0" is a soft link. Copy the data into its place.`,
  ],
  [
    "bad-external-link.h5",
    `UnsupportedError: weights "bad-external-link.h5": "/a/kernel:0" is a link to another file. Copy the data into the file.`,
  ],
  [
    "bad-virtual.h5",
    `UnsupportedError: weights "bad-virtual.h5": "/a/kernel:0" is put together from other files. Copy the data into the file.`,
  ],
  [
    "bad-external-data.h5", // /etc/passwd as a dataset: the library sees a file system with nothing but the weight file in it
    `FormatError: weights "bad-external-data.h5": it cannot be read as HDF5: unable to open external raw data file. ${damage}`,
  ],
  [
    "bad-cycle.h5",
    `FormatError: weights "bad-cycle.h5": it cannot be read as HDF5: its groups are nested more than 32 deep. ${damage}`,
  ],
  [
    "bad-huge.h5",
    `FormatError: weights "bad-huge.h5": tensor "a/kernel": shape [1048576,1048576] has 1099511627776 elements, more than the file has bytes (6864). ${damage}`,
  ],
  [
    "bad-product.h5",
    `FormatError: weights "bad-product.h5": tensor "a/kernel": shape [1073741824,536870912] is impossible: sizes must be non-negative integers whose product stays below 2^53.`,
  ],
  [
    "bad-pieces.h5",
    `UnsupportedError: weights "bad-pieces.h5": "/a/k0/kernel:0" is stored in pieces of 67108864 bytes; of a file of this size at most 12887744 are read. Store it in smaller ones.`,
  ],
  [
    "bad-strings.h5",
    `UnsupportedError: weights "bad-strings.h5": tensor "a/kernel" holds string of 4 bytes, but weights must be f32, f16, bf16 or f64.`,
  ],
  [
    "bad-numbers.h5",
    `FormatError: weights "bad-numbers.h5": it cannot be read as HDF5: the attribute "layer_names" of "/" is no text. ${damage}`,
  ],
  [
    "bad-missing.h5",
    `FormatError: weights "bad-missing.h5": the weight "kernel:0" of layer "a" is listed, but missing. The file is damaged: get a fresh copy.`,
  ],
  [
    "bad-config.h5",
    `FormatError: weights "bad-config.h5": its model_config is not JSON. The file is damaged: get a fresh copy.`,
  ],
  [
    "bad-other.h5",
    `FormatError: weights "bad-other.h5": an HDF5 file, but not Keras's: it has none of model_weights, layer_names and layers. Save the network by Keras.`,
  ],
];

suite("HDF5", (test) => {
  for (const [file, message] of refusals) {
    test(`refuses ${file}`, async () => {
      assert.is(await rejection(openAndRead(kerasFixture(file))), message);
    });
  }

  test("refuses every truncation", async () => {
    const reader = hdf5Reader();
    const bytes = fixtureBytes("keras/keras2-chain-weights.h5");
    const path = join(folder, "short.h5");
    try {
      for (let length = 8; length < bytes.length; length += 997) {
        const short = bytes.slice(0, length);
        writeFileSync(path, short);
        const message = await rejection(
          openAndRead({ source: bytesSource(short), options: { name: "bad", hdf5: reader.fileOpener(path, "bad") } }),
        );
        assert.match(
          message,
          /^FormatError: weights "bad": it cannot be read as HDF5: .* It is truncated/,
          `${length}`,
        );
      }
    } finally {
      await reader.close();
    }
  });

  test("the package that is asked for is the one that is tested", () => {
    const { devDependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
      readFileSync(join(root, "package.json"), "utf8"),
    );
    const [name = "", version] = hdf5Package.split("@");
    assert.is(devDependencies[name], version);
    assert.is(peerDependencies[name], `^${version}`);
    assert.equal(peerDependenciesMeta[name], { optional: true });
  });

  for (const [file, count] of [
    ["keras2-chain-weights.h5", 100],
    ["keras3-chain.h5", 100],
    ["keras3-chain.weights.h5", 100],
    ["keras3-functional.keras", 100],
    ["hdf5-compressed.h5", 100],
    ["hdf5-latest.h5", 100],
  ] as const) {
    test(`${count} damaged copies of ${file} are read or refused`, async () => {
      const reader = hdf5Reader();
      const path = join(folder, file);
      try {
        await fuzz(
          fixtureBytes(`keras/${file}`),
          count,
          async (bytes) => {
            writeFileSync(path, bytes);
            await openAndRead({
              source: bytesSource(bytes),
              options: { name: "x", hdf5: reader.fileOpener(path, "x") },
            });
          },
          longestMs,
        );
      } finally {
        await reader.close();
      }
    });
  }

  // Of files of 5 to 64 kB. The process has some 100 MB with the library loaded and nothing read; one file once took 416.
  test("none of these files took memory out of proportion", () => {
    const megabytes = process.resourceUsage().maxRSS / 1024;
    assert.ok(megabytes < 300, `${megabytes.toFixed(0)} MB at the peak`);
  });
});
