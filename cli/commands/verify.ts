import { bundledModels } from "../../host/models/bundled.ts";
import { version } from "../../host/version.ts";
import { exitCodeOf } from "../explain/run.ts";
import { type VerifiedPhoto, verifyRun } from "../explain/verify-run.ts";
import type { Arguments } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/errors.ts";
import { wholeOption } from "../terminal/number-options.ts";
import { createProgress, type Progress } from "../terminal/progress.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { computeOutputs, differences, shippedOutputs } from "../verify/reference-outputs.ts";
import type { Command } from "./command.ts";

const readSample = (given: Arguments): number | undefined =>
  wholeOption(given, "sample", { low: 1, high: Number.MAX_SAFE_INTEGER }, undefined);

/** Computes a run again. @returns the exit code */
async function runOf(run: string, given: Arguments, terminal: Terminal): Promise<number> {
  const isJson = given.has("json");
  const different: VerifiedPhoto[] = [];
  let photos = 0;
  let progress: Progress | undefined;
  const end = await verifyRun(run, readSample(given), (photo, done, total) => {
    progress ??= createProgress(terminal, total);
    progress.clear();
    photos++;
    if (photo.differs.length > 0) {
      different.push(photo);
      if (!isJson)
        terminal.out(
          `${shown(photo.photo, mostOfPath)}: differs in ${photo.differs.map((text) => shown(text, 300)).join(", ")}\n`,
        );
    }
    progress.update(done, photo.photo);
  });
  progress?.clear();
  const isIdentical = different.length === 0;
  if (isJson) terminal.out(`${JSON.stringify({ srmap: version, run, photos, isIdentical, different }, null, 2)}\n`);
  else if (isIdentical) terminal.out(`${photos} photos computed again: all identical, numbers and pixels.\n`);
  else terminal.out(`${photos} photos computed again: ${different.length} differ.\n`);
  return exitCodeOf(end, different.length);
}

/** `srmap verify`: does this machine compute what the package says? */
export const verify: Command = {
  summary: "Checks that this machine computes the package's reference outputs, or a run again",
  usage: "[RUN] [options]",
  options: {
    sample: { value: "N", help: "Of a run, only N photos, spread over it. Default: all." },
    json: { help: "Print one JSON document instead of text." },
  },
  notes: `Explains the example photo and an input of seeded numbers with every network in
the package, by the composites li2019 and epsilonPlus, and compares the SHA-256
of weights, input, logits, relevance and Salient Relevance map with those that
came with the package (models/reference-outputs.json). They are the same bytes on
every machine.

With RUN, a folder that "srmap explain" wrote for several photos: computes its
photos again, by the command in RUN/run.json, and compares reports, numbers and
pixels with what is there. A run of another version of srmap may differ.

Exit code 1 when anything differs.`,

  async run(given, terminal) {
    const [run, ...more] = given.positionals;
    if (more.length > 0) {
      throw new UsageError(`verify takes one run, got "${more[0]}", too. See "srmap help verify".`);
    }
    if (run !== undefined) return runOf(run, given, terminal);
    if (given.has("sample")) throw new UsageError("--sample needs a run: srmap verify RUN --sample N.");
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
