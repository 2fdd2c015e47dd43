// Runs the files that make-producer-files.py made and writes a table: how near to their producer the outputs are, or why a file is refused:
//   node build/test/reference/compare-producer-files.js FOLDER
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ProducerFile, producerDifference, producerTolerance } from "../support/producer-files.ts";

const [folder = ""] = process.argv.slice(2);
const cases: readonly ProducerFile[] = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
const counts = { right: 0, wrong: 0, refused: 0 };
console.log("| file | outputs | refused, because |\n|---|---|---|");
for (const made of cases) {
  try {
    const found = await producerDifference(folder, made);
    const isRight = found <= (made.tolerance ?? producerTolerance);
    counts[isRight ? "right" : "wrong"]++;
    console.log(`| ${made.name} | ${found.toExponential(1)}${isRight ? "" : " WRONG"} | |`);
  } catch (error) {
    counts.refused++;
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    console.log(`| ${made.name} | | ${why.replaceAll("\n", " ").slice(0, 300)} |`);
  }
}
console.log(`\n${counts.right} right, ${counts.wrong} wrong, ${counts.refused} refused, of ${cases.length}`);
