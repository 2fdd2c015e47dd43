import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { imageArgs, named, rowArgs } from "../../engine/memory/named.ts";
import { suite } from "../support/suite.ts";

suite("named arguments of kernels", (test) => {
  test("come out in the compiler's order, whatever their order and parts", () => {
    const [out, x, gate] = [3, 4, 5].map((address) => ({
      address: address * 64,
      rowStride: address,
      pixelStride: 1,
    })) as [Image, Image, Image];
    const declared = readFileSync(new URL("../../kernels-as/kernels.d.ts", import.meta.url), "utf8");
    const parameters = /export function leakyReluGrad\(([^)]*)\)/.exec(declared)?.[1]?.split(", ") ?? [];
    const names = parameters.map((each) => each.split(":")[0] ?? "").slice(0, -2);
    const values: Readonly<Record<string, number>> = {
      ...{ out: 192, outRow: 3, x: 256, xRow: 4, gate: 320, gateRow: 5, length: 7, slope: 0.5, positiveOnly: 1 },
    };
    const rest = { positiveOnly: 1, slope: 0.5, length: 7, nothing: 9 };
    assert.equal(
      named("leakyReluGrad", rest, rowArgs("gate", gate), imageArgs("x", x), rowArgs("out", out)),
      names.map((name) => values[name]),
    );
  });
});

interface Image {
  readonly address: number;
  readonly rowStride: number;
  readonly pixelStride: number;
}
