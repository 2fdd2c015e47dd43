import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import * as assert from "uvu/assert";
import { openPhoto } from "../../host/photos/decode.ts";
import { iccDescription, isSrgb } from "../../photos/color-profile.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const golden = join(root, "test/golden/images/decode");
const text = (value: string): Uint8Array => Uint8Array.from(value, (c) => c.charCodeAt(0));
const u32 = (value: number): number[] => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];

/** An ICC profile with a description alone: version 4's, or version 2's. */
function profile(name: string, version: 2 | 4): Uint8Array {
  const description =
    version === 4
      ? [
          ...text("mluc"),
          ...u32(0),
          ...u32(1),
          ...u32(12),
          ...text("enUS"),
          ...u32(2 * name.length),
          ...u32(28),
          ...[...name].flatMap((c) => [0, c.charCodeAt(0)]),
        ]
      : [...text("desc"), ...u32(0), ...u32(name.length + 1), ...text(`${name}\0`)];
  return Uint8Array.from([
    ...new Uint8Array(128),
    ...u32(1),
    ...text("desc"),
    ...u32(144),
    ...u32(description.length),
    ...description,
  ]);
}

/** A PNG with a chunk more behind its header. */
function pngWith(type: string, data: Uint8Array): Uint8Array {
  const bytes = readFileSync(join(golden, "rgb8.png"));
  const named = Buffer.concat([text(type), data]);
  const chunk = [...u32(data.length), ...named, ...u32(crc32(named))];
  return Buffer.concat([bytes.subarray(0, 33), Uint8Array.from(chunk), bytes.subarray(33)]);
}

async function nameOf(bytes: Uint8Array): Promise<string | undefined> {
  return (await openPhoto(bytes)).colorProfile;
}

suite("colour profiles", (test) => {
  test("a profile's name is read from either version of the format, and from none that is damaged", () => {
    assert.is(iccDescription(profile("Display P3", 4)), "Display P3");
    assert.is(iccDescription(profile("Adobe RGB (1998)", 2)), "Adobe RGB (1998)");
    const whole = profile("Display P3", 4);
    for (let length = 0; length < whole.length; length += 3)
      assert.type(iccDescription(whole.subarray(0, length)), "string");
  });

  test("a JPEG's and a PNG's profile are named, its values stay as stored", async () => {
    const jpeg = readFileSync(join(golden, "baseline420.jpg"));
    const segment = [...text("ICC_PROFILE\0"), 1, 1, ...profile("Display P3", 4)];
    const length = segment.length + 2;
    const withProfile = Buffer.concat([
      jpeg.subarray(0, 2),
      Uint8Array.from([0xff, 0xe2, length >> 8, length & 255, ...segment]),
      jpeg.subarray(2),
    ]);
    assert.is(await nameOf(jpeg), undefined);
    assert.is(await nameOf(withProfile), "Display P3");
    assert.equal((await openPhoto(withProfile)).image, (await openPhoto(jpeg)).image);
    const iccp = Buffer.concat([text("any name\0\0"), deflateSync(profile("ProPhoto RGB", 2))]);
    assert.is(await nameOf(pngWith("iCCP", iccp)), "ProPhoto RGB");
    assert.is(await nameOf(pngWith("iCCP", Buffer.concat([text("its keyword\0\0"), text("damaged")]))), "its keyword");
  });

  test("PNG's other ways to say colours are named where they are not sRGB's", async () => {
    assert.is(await nameOf(pngWith("gAMA", Uint8Array.from(u32(100000)))), "gamma 1");
    assert.is(await nameOf(pngWith("gAMA", Uint8Array.from(u32(45455)))), undefined);
    assert.is(await nameOf(pngWith("sRGB", Uint8Array.of(0))), undefined);
    assert.is(await nameOf(pngWith("cICP", Uint8Array.of(12, 13, 0, 1))), "CICP 12/13");
    assert.is(await nameOf(pngWith("cICP", Uint8Array.of(1, 13, 0, 1))), undefined);
  });

  test("what is sRGB under another name needs no word", () => {
    for (const name of ["sRGB IEC61966-2.1", "sRGB built-in", "GIMP built-in sRGB", "c2"])
      assert.ok(isSrgb(name), name);
    for (const name of ["Display P3", "Adobe RGB (1998)", "unnamed", "gamma 1"]) assert.not(isSrgb(name), name);
  });
});
