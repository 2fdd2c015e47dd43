import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  computeOutputs,
  differences,
  type ReferenceOutputs,
  referenceFile,
} from "../../cli/verify/reference-outputs.ts";
import { bundledModels } from "../../host/models/bundled.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

const howToWrite =
  "The networks of the package no longer give the reference outputs. If the numbers were meant to change, say by how much in the commit and run: npm run goldens";

interface Report {
  readonly isIdentical: boolean;
  readonly models: readonly { readonly model: string; readonly differs: readonly string[] }[];
}

if (process.argv.includes("--write")) {
  const outputs: Record<string, ReferenceOutputs[string]> = {};
  for (const { name } of bundledModels()) outputs[name] = await computeOutputs(name);
  writeFileSync(referenceFile, `${JSON.stringify(outputs, null, 2)}\n`);
}

suite("cli/verify", (test) => {
  test("every network of the package gives its reference outputs, bit for bit", () => {
    let output: string;
    try {
      output = execFileSync(process.execPath, [join(root, "build/cli/main.js"), "verify", "--json"], {
        encoding: "utf8",
      });
    } catch (error) {
      // Exit code 1 comes with a report all the same.
      output = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    }
    const report = JSON.parse(output) as Report;
    const wrong = report.models.flatMap(({ model, differs }) => differs.map((name) => `${model}: ${name}`));
    assert.equal(wrong, [], howToWrite);
    assert.is(report.isIdentical, true);
    assert.equal(
      report.models.map(({ model }) => model),
      bundledModels().map(({ name }) => name),
    );
  });

  test("arrays that differ, are missing or were not expected are named", () => {
    assert.equal(differences({ a: "1", b: "2", c: "3" }, { a: "1", b: "x", d: "4" }), ["b", "d", "c"]);
    assert.equal(differences({ a: "1" }, undefined), ["a"]);
  });
});
