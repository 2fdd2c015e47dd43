import { bundledModels } from "../../host/models/bundled.ts";
import { version } from "../../host/version.ts";
import { UsageError } from "../terminal/errors.ts";
import { createProgress } from "../terminal/progress.ts";
import { computeOutputs, differences, shippedOutputs } from "../verify/reference-outputs.ts";
import type { Command } from "./command.ts";

/** `srmap verify`: does this machine compute what the package says? */
export const verify: Command = {
  summary: "Checks that this machine computes the package's reference outputs",
  usage: "[options]",
  options: { json: { help: "Print one JSON document instead of text." } },
  notes: `Explains the example photo and an input of seeded numbers with every network in
the package, by the composites li2019 and epsilonPlus, and compares the SHA-256
of weights, input, logits, relevance and Salient Relevance map with those that
came with the package (models/reference-outputs.json). They are the same bytes on
every machine. Exit code 1 when anything differs.`,

  async run(given, terminal) {
    if (given.positionals.length > 0) {
      throw new UsageError(`verify takes no argument, got "${given.positionals[0]}". See "srmap help verify".`);
    }
    const isJson = given.has("json");
    const expected = shippedOutputs();
    const models = bundledModels();
    const progress = createProgress(terminal, models.length);
    const results: { model: string; isIdentical: boolean; arrays: number; differs: string[] }[] = [];
    for (const [i, { name }] of models.entries()) {
      progress.update(i, name);
      const got = await computeOutputs(name);
      const differs = differences(got, expected[name]);
      progress.clear();
      const arrays = Object.keys(got ?? {}).length;
      results.push({ model: name, isIdentical: differs.length === 0, arrays, differs });
      if (isJson) continue;
      terminal.out(
        differs.length === 0
          ? `${name}: identical (${arrays} arrays)\n`
          : `${name}: ${differs.length} of ${arrays} arrays differ: ${differs.join(", ")}\n`,
      );
    }
    const isIdentical = results.every((result) => result.isIdentical);
    if (isJson) terminal.out(`${JSON.stringify({ srmap: version, isIdentical, models: results }, null, 2)}\n`);
    else if (isIdentical) terminal.out("This machine computes the reference outputs, bit for bit.\n");
    else
      terminal.err(
        "srmap: this machine does not compute the reference outputs. Reinstall srmap; if that does not help, please report it with the output of srmap verify --json and of node -p process.versions.\n",
      );
    return isIdentical ? 0 : 1;
  },
};
