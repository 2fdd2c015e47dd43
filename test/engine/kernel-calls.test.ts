import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import * as kernel from "../../kernels-as/kernel-calls.js";
import { suite } from "../support/suite.ts";

const declared = readFileSync(new URL("../../kernels-as/kernels.d.ts", import.meta.url), "utf8");

/** The compiler's names of a kernel's parameters. */
function parametersOf(name: string): string[] {
  const parameters = new RegExp(`export function ${name}\\(([^)]*)\\)`).exec(declared)?.[1]?.split(", ") ?? [];
  return parameters.map((each) => each.split(":")[0] ?? "");
}

const image = (address: number): { address: number; rowStride: number; pixelStride: number } => ({
  address,
  rowStride: address + 0.25,
  pixelStride: address + 0.5,
});

suite("calls of kernels by named arguments", (test) => {
  test("give every kernel its parameters in the compiler's order", () => {
    const window = { kernelShape: [101, 102], strides: [103, 104], pads: [105, 106, 107, 108], dilations: [109, 110] };
    const windowNames = "kh kw strideH strideW padTop padLeft padBottom padRight dilationH dilationW".split(" ");
    let checked = 0;
    for (const [name, call] of Object.entries(kernel)) {
      const all = parametersOf(name);
      const isDivided = all.slice(-2).join() === "begin,end";
      const names = isDivided ? all.slice(0, -2) : all;
      const given: Record<string, unknown> = { window };
      const wanted = names.map((each, index) => {
        const [, of = "", stride] = /^(\w+?)(Row|Pixel)$/.exec(each) ?? [];
        if (names.includes(of)) return names.indexOf(of) + (stride === "Row" ? 0.25 : 0.5);
        if (windowNames.includes(each)) return 101 + windowNames.indexOf(each);
        given[each] = names.includes(`${each}Row`) ? image(index) : index;
        return index;
      });
      let got: unknown[] = [];
      const record = (...args: unknown[]): number => {
        got = args;
        return 5;
      };
      const run = call as (kernels: unknown, ...args: unknown[]) => unknown;
      if (isDivided) {
        run({ split: record }, 7, given);
        assert.equal(got, [name, 7, ...wanted]);
      } else {
        assert.is(run({ [name]: record }, given), 5);
        assert.equal(got, wanted, name);
      }
      checked++;
    }
    assert.ok(checked > 40);
  });
});
