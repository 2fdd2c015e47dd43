import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { sourceFiles } from "../support/imports.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

// The dialect of the kernels, as CONTRIBUTING.md states it.

const sources = sourceFiles("kernels-as").map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));
const code = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");

/** Exported kernels with the arguments that the compiler wrote down. */
const kernels = [
  ...readFileSync(join(root, "build/kernels-as/kernels.d.ts"), "utf8").matchAll(
    /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export function (\w+)\(/g,
  ),
].map(([, comment = "", name = ""]) => ({
  name,
  parameters: [...comment.matchAll(/@param (\w+) `(\w+)`/g)].map(([, name = "", type = ""]) => ({ name, type })),
}));

// A pointer behind a number, to be moved.
const pointerLate: readonly string[] = ["markAroundSamples", "markSamples"];

suite("dialect of the kernels", (test) => {
  test("each exported kernel says what it does and its source", () => {
    const index = readFileSync(join(root, "kernels-as/index.ts"), "utf8");
    const missing: string[] = [];
    let count = 0;
    for (const [, names = "", path = ""] of index.matchAll(/^export \{ (.*) \} from "\.\/(.*)";$/gm)) {
      const text = readFileSync(join(root, `kernels-as/${path}.ts`), "utf8");
      for (const name of names.split(", ")) {
        const comment = new RegExp(
          `/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*(?:@inline\\s*)?export function ${name}\\(`,
        ).exec(text);
        if (!/^ \* \S.*\n(.*\n)* \* Source: \S/m.test(comment?.[1] ?? "")) missing.push(`${path}.ts ${name}`);
        count++;
      }
    }
    assert.equal(missing, []);
    assert.is(count, kernels.length);
  });

  test("pointers are usize, everything else i32, f32 or f64", () => {
    const types = new Set(kernels.flatMap(({ parameters }) => parameters.map(({ type }) => type)));
    assert.equal([...types].sort(), ["f32", "f64", "i32", "usize"]);
  });

  test("strides stand behind the pointer of their image, in elements", () => {
    const wrong = kernels.flatMap(({ name, parameters }) => {
      const names = parameters.map((each) => each.name);
      return parameters
        .filter((each, at) => {
          const [, image = "", axis] = /^(\w+)(Row|Pixel|Channel)$/.exec(each.name) ?? [];
          if (!names.includes(image)) return false;
          const before = { Row: image, Pixel: `${image}Row`, Channel: `${image}Pixel` }[axis ?? ""];
          return each.type !== "i32" || names[at - 1] !== before || parameters[names.indexOf(image)]?.type !== "usize";
        })
        .map((each) => `${name} ${each.name}`);
    });
    assert.equal(wrong, []);
  });

  test("no pointer follows a number", () => {
    const late = kernels.filter(({ parameters }) => {
      const names = parameters.map((each) => each.name);
      const others = parameters.filter(({ name }) => {
        const [, image = ""] = /^(\w+)(Row|Pixel|Channel)$/.exec(name) ?? [];
        return !names.includes(image);
      });
      const firstNumber = others.findIndex(({ type }) => type !== "usize");
      return firstNumber >= 0 && others.slice(firstNumber).some(({ type }) => type === "usize");
    });
    assert.equal(late.map(({ name }) => name).sort(), pointerLate);
  });

  test("a range comes last, as begin and end", () => {
    const wrong = kernels.filter(({ parameters }) => {
      const names = parameters.map(({ name }) => name);
      const hasRange = names.includes("begin") || names.includes("end");
      return hasRange && names.slice(-2).join() !== "begin,end";
    });
    assert.equal(
      wrong.map(({ name }) => name),
      [],
    );
  });

  test("memory is raw: no objects, and one way to read it", () => {
    const managed = /\bnew \w|\bclass \w|\bstring\b|\bArray\b|=>|`|\b(load|store)<[fi]\d/;
    assert.equal(
      sources.filter(({ text }) => managed.test(code(text))).map(({ file }) => file),
      [],
    );
  });

  test("nothing changes outside memory: no variable but constants outside functions", () => {
    assert.equal(
      sources.filter(({ text }) => /^(export )?(let|var)\b/m.test(code(text))).map(({ file }) => file),
      [],
    );
  });

  test("heads are written several arguments a line", () => {
    const tall = /function \w+\(\n {2}\w+: \w+,\n {2}\w+: \w+,\n/;
    assert.equal(
      sources.filter(({ text }) => tall.test(text)).map(({ file }) => file),
      [],
    );
  });
});
