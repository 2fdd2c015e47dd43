import { existsSync, rmSync } from "node:fs";
import * as assert from "uvu/assert";
import { bytesSource, openWeights } from "../../weights-loader/index.ts";
import { assertReadsAs, expectedTensors, fixtureBytes, refusal } from "../support/fixtures.ts";
import { cpuMs } from "../support/fuzz.ts";
import { suite } from "../support/suite.ts";

const files: readonly [file: string, format: string][] = [
  ...["f32", "f16", "bf16", "f64"].flatMap((dtype): [string, string][] => [
    [`torch-zip-${dtype}.pth`, "torch-zip"],
    [`torch-legacy-${dtype}.pth`, "torch-legacy"],
  ]),
  ["torch-tar-f32.pth", "torch-tar"],
  ["torch-tar-f64.pth", "torch-tar"],
  ["torch-zip-protocol4.pth", "torch-zip"],
];

const advice = `Save the weights alone: torch.save(model.state_dict(), "weights.pth").`;
const refusals: readonly [string, string][] = [
  [
    "bad-system-zip.pth",
    `UnsupportedError: weights "bad": the pickle names "posix.system", which a state dict does not need; nothing of it was run. ${advice}`,
  ],
  [
    "bad-system-legacy.pth",
    `UnsupportedError: weights "bad": the pickle names "posix.system", which a state dict does not need; nothing of it was run. ${advice}`,
  ],
  [
    "bad-module.pth",
    `UnsupportedError: weights "bad": the pickle names "torch.nn.modules.linear.Linear", which a state dict does not need; nothing of it was run. ${advice}`,
  ],
  [
    "bad-two.pth",
    `FormatError: weights "bad": several dicts of tensors to choose from: "model" (1), "ema" (1). Name the one that counts: --state-dict model.`,
  ],
  [
    "bad-tensor.pth",
    `FormatError: weights "bad": no state dict in it (a dict of tensors by name, or one such dict in a checkpoint). ${advice}`,
  ],
];

const ascii = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));

/** A zip archive of stored entries whose directory says what `lie` makes of the truth. */
function zip(
  entries: [name: string, data: number[]][],
  lie: (entry: { offset: number; bytes: number; compressed: number; method: number }) => void = () => {},
): Uint8Array {
  const u16 = (n: number): number[] => [n & 255, n >> 8];
  const u32 = (n: number): number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24];
  let out: number[] = [];
  const directory: number[] = [];
  for (const [name, data] of entries) {
    const entry = { offset: out.length, bytes: data.length, compressed: data.length, method: 0 };
    lie(entry);
    const common = [...u16(entry.method), 0, 0, 0, 0, 0, 0, 0, 0, ...u32(entry.compressed), ...u32(entry.bytes)];
    const local = [0x50, 0x4b, 3, 4, 20, 0, 0, 0, ...common, ...u16(name.length), 0, 0, ...ascii(name)];
    out = out.concat(local, data);
    const tail = [...u16(name.length), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...u32(entry.offset), ...ascii(name)];
    directory.push(0x50, 0x4b, 1, 2, 20, 0, 20, 0, 0, 0, ...common, ...tail);
  }
  const counts = [...u16(entries.length), ...u16(entries.length)];
  const end = [0x50, 0x4b, 5, 6, 0, 0, 0, 0, ...counts, ...u32(directory.length), ...u32(out.length), 0, 0];
  return Uint8Array.from([...out, ...directory, ...end]);
}

/** A PyTorch zip around a pickle. */
const archive = (pickle: number[]): Uint8Array => zip([["a/data.pkl", [0x80, 2, ...pickle]]]);

const bombs: readonly [string, Uint8Array, RegExp][] = [
  [
    "overlapping entries",
    zip(
      [
        ["a/data.pkl", [0x80, 2, 0x7d, 0x2e]],
        ["a/data/0", [1]],
      ],
      (entry) => {
        entry.offset = 0;
      },
    ),
    /zip entry "a\/data\/0": its local header at byte 0 is missing or of another name\.$/,
  ],
  [
    "an entry that reaches into the next",
    zip(
      [
        ["a/data.pkl", [1, 2, 3]],
        ["a/data/0", [1]],
      ],
      (entry) => {
        if (entry.offset === 0) entry.bytes = entry.compressed = 40;
      },
    ),
    /zip entry "a\/data\/0" overlaps the one before it\.$/,
  ],
  [
    "an entry that reaches into the directory",
    zip([["a/data.pkl", [1]]], (entry) => {
      entry.bytes = entry.compressed = 40;
    }),
    /zip entry "a\/data\.pkl" reaches into the zip directory\.$/,
  ],
  [
    "a zip bomb by its claim",
    zip([["a/data.pkl", [1]]], (entry) => {
      entry.method = 8;
      entry.bytes = 0xfffffff0;
    }),
    /claims 4294967280 bytes from 1; deflate reaches 1032 to 1 at most\. It is damaged or a zip bomb\.$/,
  ],
  ["a compressed pickle", zip([["a/data.pkl", [1]]], (entry) => (entry.method = 8)), /"a\/data\.pkl" is compressed/],
  ["path traversal", zip([["a/../../data.pkl", [1]]]), /zip entry "a\/\.\.\/\.\.\/data\.pkl" would lie outside/],
  ["a zip without weights", zip([["readme.txt", [1]]]), /a zip archive without weights/],
  ["an unknown opcode", archive([0x69, 0x2e]), /pickle opcode 0x69 at byte 2 does not occur in state dicts/],
  ["a missing mark", archive([0x74, 0x2e]), /a mark is missing on the stack \(pickle, byte 3\)/],
  ["an empty stack", archive([0x2e]), /a value is missing on the stack/],
  ["a call of no global", archive([0x4e, 0x29, 0x52, 0x2e]), /a call of something that is no global/],
  ["an integer of 2^31 - 1 bytes", archive([0x8b, 255, 255, 255, 127, 0x2e]), /an integer of 2147483647 bytes/],
  ["text that leaves the file", archive([0x58, 255, 255, 255, 255]), /the pickle ends early/],
  [
    "200,000 nested lists",
    archive([...Array(200_000).fill(0x5d), ...Array(199_999).fill(0x61), 0x2e]),
    /no state dict/,
  ],
  ["1,100,000 objects", archive([...Array(1_100_000).fill(0x5d), 0x2e]), /more than 1000000 objects/],
  [
    "a dict that holds itself",
    archive([0x7d, 0x71, 0, 0x58, 1, 0, 0, 0, 0x61, 0x68, 0, 0x73, 0x2e]),
    /no state dict in it/,
  ],
  [
    "an extension registry lookup",
    archive([0x82, 1, 0x2e]),
    /pickle opcode 0x82 at byte 2 does not occur in state dicts/,
  ],
];

suite("PyTorch .pth", (test) => {
  for (const [file, format] of files) {
    test(`reads what PyTorch wrote: ${file}`, async () => {
      const weights = await openWeights(bytesSource(fixtureBytes(file)), { name: file });
      assert.is(weights.format, format);
      assert.equal(weights.metadata, {});
      await assertReadsAs(weights, expectedTensors(file));
    });
  }

  test("takes the only state dict of a checkpoint and says so", async () => {
    const weights = await openWeights(bytesSource(fixtureBytes("torch-checkpoint.pth")));
    assert.equal(weights.metadata, { stateDict: "state_dict" });
    await assertReadsAs(weights, expectedTensors("torch-checkpoint.pth"));
  });

  for (const [file, message] of refusals) {
    test(`refuses ${file} and runs nothing of it`, async () => {
      rmSync("/tmp/srmap-was-run", { force: true });
      assert.is(await refusal(fixtureBytes(file)), message);
      assert.not(existsSync("/tmp/srmap-was-run"));
    });
  }

  for (const [what, bytes, message] of bombs) {
    test(`refuses ${what}`, async () => {
      const started = process.cpuUsage();
      const said = await refusal(bytes);
      assert.match(said, message);
      assert.match(said, /^(FormatError|UnsupportedError): weights "bad"/);
      assert.ok(cpuMs(started) < 1000, "took more than a second");
    });
  }

  for (const file of ["torch-zip-f32.pth", "torch-legacy-f32.pth", "torch-tar-f32.pth"]) {
    test(`refuses every truncation: ${file}`, async () => {
      const bytes = fixtureBytes(file);
      // A tar ends in padding of zeros, which may be missing.
      const end = file.includes("tar") ? bytes.findLastIndex((byte) => byte !== 0) : bytes.length;
      for (let length = 0; length < end; length += 53) {
        assert.match(
          await refusal(bytes.slice(0, length)),
          /^(FormatError|UnsupportedError): weights "bad"/,
          `${length}`,
        );
      }
    });
  }
});
