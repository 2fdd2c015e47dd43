import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { printable, shown, shownMessage } from "../../cli/terminal/shown.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const folder = mkdtempSync(join(tmpdir(), "srmap-shown-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

// What a file could do to a screen: colours and cursor, the window's title, the 8-bit CSI, a reversed name, a line of its own.
const hostile = "\u001b[2J\u001b]0;owned\u0007 \u009b31m \u202etxt.exe\u202c \r\nsrmap: all is well";
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const dangerous = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

function srmap(...argv: string[]): { out: string; err: string } {
  const run = spawnSync(process.execPath, [join(root, "build/cli/main.js"), ...argv], {
    cwd: folder,
    encoding: "utf8",
  });
  return { out: run.stdout, err: run.stderr };
}

suite("text from files on the screen", (test) => {
  test("a name is one line without controls, and no longer than told", () => {
    assert.is(
      shown(hostile, 200),
      "\\u001b[2J\\u001b]0;owned\\u0007 \\u009b31m \\u202etxt.exe\\u202c \\u000d\\u000asrmap: all is well",
    );
    assert.is(shown("golf ball, 高尔夫球 ⛳"), "golf ball, 高尔夫球 ⛳");
    assert.is(shown("0123456789".repeat(3), 12), "01234567…789");
  });

  test("the door keeps line breaks and valid JSON", () => {
    assert.is(printable("a\n\u001b[1mb\n"), "a\n\\u001b[1mb\n");
    assert.equal(JSON.parse(printable(JSON.stringify({ name: hostile }))), { name: hostile });
  });

  test("a message keeps our lists, and no line breaks of names", () => {
    assert.is(
      shownMessage('weights "x": 2 layers:\n  "a": why\nChoose another.'),
      'weights "x": 2 layers:\n  "a": why\nChoose another.',
    );
    assert.is(shownMessage('layer "a\nsrmap: fine"'), 'layer "a\\u000asrmap: fine"');
    assert.is(shownMessage(`layer "${"n".repeat(100000)}" is odd.`).length, 100 + 'layer "" is odd.'.length);
    assert.is(shownMessage("m".repeat(100000)).length, 1000);
  });

  test("a weight file with hostile names shows them escaped, a line each", async () => {
    const name = hostile + "n".repeat(5000);
    const path = join(folder, "hostile.safetensors");
    const metadata = { [hostile]: hostile, "srmap.network": `{"name": "${"x".repeat(5000)}` };
    const tensor = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
    const header = Buffer.from(JSON.stringify({ __metadata__: metadata, [name]: tensor }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path, Buffer.concat([length, header, Buffer.alloc(8)]));
    for (const argv of [
      ["inspect", path],
      ["inspect", path, "--json"],
      ["explain", join(root, "examples/cat.jpg"), "-w", path],
    ]) {
      const { out, err } = srmap(...argv);
      assert.ok(out + err !== "");
      assert.not.match(out + err, dangerous, argv.join(" "));
      if (argv[2] === "--json") assert.is(JSON.parse(out).tensors[0].name, name);
      else
        for (const line of (out + err).split("\n")) assert.ok(line.length <= 1200, `${argv.join(" ")}: ${line.length}`);
    }
  });

  test("photos and results of a hostile name are told a line each", () => {
    const name = "\u001b[31mred\nsrmap: fine.png";
    const photos = join(folder, "photos");
    mkdirSync(photos);
    for (const file of [name, "b.png"]) cpSync(join(root, "test/golden/images/decode/rgb8.png"), join(photos, file));
    const { out, err } = srmap("explain", photos, "--out", "out", "-m", "alexnet-mini", "--sr", "workSize=40");
    assert.is(err, "");
    assert.not.match(out, dangerous);
    assert.not.match(out, /^srmap: fine/m);
    assert.match(out, /wrote out\/\\u001b\[31mred\\u000asrmap: fine\.png\/: panel\.png/);
  });

  test("a photo with a hostile name is told escaped", () => {
    const name = "\u001b[31mred\n\u202egnp.jpg";
    writeFileSync(join(folder, name), "no photo");
    rmSync(join(folder, "photos"), { recursive: true });
    rmSync(join(folder, "out"), { recursive: true });
    const { out, err } = srmap("explain", ".");
    assert.is(out, "");
    assert.is(
      err,
      "left out: 1 file that is no photo or .npy file (1 .safetensors).\n\\u001b[31mred\\u000a\\u202egnp.jpg: image: the file is neither PNG nor JPEG. Give a PNG or JPEG photo.\n",
    );
  });
});
