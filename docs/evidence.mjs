// Writes docs/evidence.md: node docs/evidence.mjs PHOTOS ANNOTATIONS WEIGHTS OUT [N]. The evaluation in OUT is taken up where it stopped.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bootstrapMean, signFlipTest } from "../build/evaluation/index.js";

const [photos, annotations, weights, out, count] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node docs/evidence.mjs PHOTOS ANNOTATIONS WEIGHTS OUT [N]");
const maps = [
  ["epsilonPlus:|R|", "relevance, summed over the channels by size"],
  ["epsilonPlus:blur", "the same, blurred by a Gaussian of 5 pixels"],
  ["epsilonPlus:sr", "Salient Relevance, as published"],
  ["epsilonPlus:sr*blur", "Salient Relevance times the blurred relevance"],
  ["gradcam", "Grad-CAM of the last fire module"],
  ["layercam", "LayerCAM of the same"],
  ["gaussian", "a bet on the middle: a Gaussian, a quarter of the side wide"],
  ["random", "random values"],
];
const metrics = ["pointing15", "mass", "rank", "auc"];
const root = fileURLToPath(new URL("..", import.meta.url));
const limit = count === undefined ? [] : ["--limit", count];
execFileSync(
  process.execPath,
  [
    ...[join(root, "build/cli/main.js"), "evaluate", photos, "-a", annotations, "-m", "squeezenet1_0", "-w", weights],
    ...["--whole", "--maps", maps.map(([name]) => name).join(","), "--metrics", metrics.join(","), "-o", out, ...limit],
  ],
  { stdio: "inherit" },
);
const { rows, srmap, leftOut, weights: file } = JSON.parse(readFileSync(join(out, "evaluation.json"), "utf8"));
const small = rows.filter(({ area }) => area < 0.5);
const digits = (value) => value.toFixed(3).replace(/^(-?)0\./, "$1.");
const value = (row, map, metric) => row.maps[map]?.[metric]?.value ?? Number.NaN;

function table(set) {
  const head = `| map | ${metrics.join(" | ")} |\n|---|${metrics.map(() => "---|").join("")}`;
  const lines = maps.map(([map]) => {
    const cells = metrics.map((metric) => {
      const { mean, low, high } = bootstrapMean(set.map((row) => value(row, map, metric)));
      return `${digits(mean)} (${digits(low)}-${digits(high)})`;
    });
    return `| \`${map.replace("|R|", "abs")}\` | ${cells.join(" | ")} |`;
  });
  return `${head}\n${lines.join("\n")}`;
}

function differences(set, a, b) {
  const cells = metrics.map((metric) => {
    const each = set.map((row) => value(row, a, metric) - value(row, b, metric));
    const { mean, low, high } = bootstrapMean(each);
    const p = signFlipTest(each);
    return `${mean > 0 ? "+" : ""}${digits(mean)} (${digits(low)} to ${digits(high)}; p ${p < 0.001 ? "below .001" : digits(p)})`;
  });
  return `| \`${a.replace("|R|", "abs")}\` less \`${b.replace("|R|", "abs")}\` | ${cells.join(" | ")} |`;
}

const pairs = [
  ["epsilonPlus:sr", "epsilonPlus:|R|"],
  ["epsilonPlus:sr", "epsilonPlus:blur"],
  ["epsilonPlus:sr*blur", "epsilonPlus:sr"],
  ["epsilonPlus:sr", "gradcam"],
  ["epsilonPlus:sr", "gaussian"],
];
const pairTable = (set) =>
  `| difference | ${metrics.join(" | ")} |\n|---|${metrics.map(() => "---|").join("")}\n${pairs.map(([a, b]) => differences(set, a, b)).join("\n")}`;
const text = `# Where the maps lie: evidence

Made by \`node docs/evidence.mjs\` and never by hand. ${rows.length} photos of the ILSVRC2012 validation set with boxes, squashed whole to 224x224;
SqueezeNet 1.0 (\`${file.file}\`, SHA-256 ${file.sha256.slice(0, 16)}...); the class of the box is explained, whatever the network says; srmap ${srmap}.
Numbers are means with 95 % bootstrap intervals (seeded, 2000 draws); differences are paired, photo by photo, p by random sign changes.

Maps: ${maps.map(([name, what]) => `\`${name.replace("|R|", "abs")}\` ${what}`).join("; ")}.

Metrics: \`pointing15\` the largest value lies on the object or within 15 pixels; \`mass\` share of the map inside the boxes; \`rank\` of the K
largest values, K the boxes' area, the share inside; \`auc\` the chance that a pixel inside is worth more than one outside. More is better.

## Objects under half the photo: ${small.length} photos

${table(small)}

${pairTable(small)}

## All ${rows.length} photos

${table(rows)}

${pairTable(rows)}

## How to read it

\`mass\` rewards concentration: multiplying two maps raises it without moving anything, which \`rank\` and \`auc\`, that see only the order of
the pixels, tell apart. Where only \`mass\` tells two maps apart, the gain may be concentration alone. Photos of this set have their object in the
middle: what does not beat \`gaussian\` has shown nothing.

Boxes are no outlines: a map that is right about the object cannot fill its box, and the boxes hold background. A network may rightly look
at what surrounds an object. Where a map lies says nothing of whether the network uses what lies there; that is what \`deletion\` and
\`insertion\` of \`srmap evaluate\` measure, which are not in these tables.
${leftOut.length === 0 ? "" : `\nLeft out: ${leftOut.join(" ")}\n`}`;
writeFileSync(join(root, "docs/evidence.md"), text);
