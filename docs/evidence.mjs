// Writes docs/evidence.md: node docs/evidence.mjs DATA OUT [N], or npm run evidence -- DATA OUT [N].
// DATA holds ilsvrc2012-loc/, ilsvrc2012-val/ (photos/ and annotations.json each) and squeezenet1_0.safetensors. N: at most so many photos
// in each part. Each part has a folder in OUT, which is taken up where it stopped; what OUT/note.txt says of the run is printed below the
// facts.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bootstrapMean, signFlipTest } from "../build/evaluation/index.js";

const [data, out, count] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node docs/evidence.mjs DATA OUT [N]");
const most = count === undefined ? Number.POSITIVE_INFINITY : Number(count);
const root = fileURLToPath(new URL("..", import.meta.url));

const maps = {
  "epsilonPlus:|R|": "relevance, summed over the channels by size",
  "epsilonPlus:blur": "the same, blurred by a Gaussian of 5 pixels",
  "epsilonPlus:sr": "Salient Relevance, as published",
  "epsilonPlus:sr*blur": "Salient Relevance times the blurred relevance (`--salient weighted`)",
  gradcam: "Grad-CAM of the last layer with a height and width and no channel per class",
  layercam: "LayerCAM of the same",
  gaussian: "a bet on the middle: a Gaussian, a quarter of the side wide",
  random: "random values",
};
const li2019 = ["li2019:|R|", "li2019:blur", "li2019:sr"];
const [relevance, blur, sr, weighted, gradcam, , gaussian] = Object.keys(maps);
/** Photos of the parts that cost most. */
const sizes = { li2019: 110, minis: 250, removal: 100, road: 60 };
const places = ["pointing15", "mass", "rank", "auc"];
const lost = ["deletion", "insertion"];

/** Runs srmap evaluate into a folder of OUT. */
function evaluate(name, folder, limit, model, theMaps, metrics, ...more) {
  const photos = [join(data, folder, "photos"), join(data, folder)].find((each) => existsSync(each));
  const weights = model === "squeezenet1_0" ? ["-w", join(data, "squeezenet1_0.safetensors")] : [];
  execFileSync(
    process.execPath,
    [
      ...[join(root, "build/cli/main.js"), "evaluate", photos, "-a", join(data, folder, "annotations.json")],
      ...["-m", model, ...weights, "--whole", "--maps", theMaps.join(","), "--metrics", metrics.join(",")],
      ...[
        "--pictures",
        "0",
        "-o",
        join(out, name),
        ...(Number.isFinite(limit) ? ["--limit", String(limit)] : []),
        ...more,
      ],
    ],
    { stdio: "inherit" },
  );
  return JSON.parse(readFileSync(join(out, name, "evaluation.json"), "utf8"));
}

const shown = (map) => `\`${map.replace("|R|", "abs")}\``;
const digits = (value) => value.toFixed(3).replace(/^(-?)0\./, "$1.");
const valuesOf = (rows, map, metric) => rows.map((row) => row.maps[map]?.[metric]?.value ?? Number.NaN);
const meanOf = (rows, map, metric) => bootstrapMean(valuesOf(rows, map, metric));
const small = (rows) => rows.filter(({ area }) => area < 0.5);

function compared(rows, a, b, metric) {
  const base = valuesOf(rows, b, metric);
  const each = valuesOf(rows, a, metric).map((value, i) => value - base[i]);
  return { ...bootstrapMean(each), p: signFlipTest(each) };
}

function table(rows, names, metrics) {
  const head = `| map | ${metrics.join(" | ")} |\n|---|${metrics.map(() => "---|").join("")}`;
  const lines = names.map((map) => {
    const cells = metrics.map((metric) => {
      const { mean, low, high } = meanOf(rows, map, metric);
      return `${digits(mean)} (${digits(low)}-${digits(high)})`;
    });
    return `| ${shown(map)} | ${cells.join(" | ")} |`;
  });
  return `${head}\n${lines.join("\n")}`;
}

const pText = (p) => (p < 0.001 ? "p below .001" : `p ${digits(p)}`);

function differences(rows, pairs, metrics) {
  const lines = pairs.map(([a, b]) => {
    const cells = metrics.map((metric) => {
      const { mean, low, high, p } = compared(rows, a, b, metric);
      return `${mean > 0 ? "+" : ""}${digits(mean)} (${digits(low)} to ${digits(high)}; ${pText(p)})`;
    });
    return `| ${shown(a)} less ${shown(b)} | ${cells.join(" | ")} |`;
  });
  return `| difference | ${metrics.join(" | ")} |\n|---|${metrics.map(() => "---|").join("")}\n${lines.join("\n")}`;
}

/** "more than", "less than" or "not tellable from", by p below .05. */
function words(rows, a, b, metric) {
  const { mean, p } = compared(rows, a, b, metric);
  return p >= 0.05 ? "not tellable from" : mean > 0 ? "more than" : "less than";
}

const all = Object.keys(maps);
const main = evaluate("main", "ilsvrc2012-loc", most, "squeezenet1_0", all, places);
const li = evaluate("li2019", "ilsvrc2012-loc", Math.min(most, sizes.li2019), "squeezenet1_0", li2019, places);
const asked = [relevance, blur, sr, weighted, gradcam, gaussian];
const removed = [relevance, blur, sr, weighted, gaussian];
const faith = evaluate(
  "faithfulness",
  "ilsvrc2012-loc",
  Math.min(most, sizes.removal),
  "squeezenet1_0",
  removed,
  lost,
  ...["--budget", "8"],
);
const imputed = [relevance, blur, sr, gaussian];
const road = evaluate("road", "ilsvrc2012-loc", Math.min(most, sizes.road), "squeezenet1_0", imputed, ["road"]);
const minis = ["alexnet-mini", "vgg-mini"].map((model) => [
  model,
  evaluate(model, "ilsvrc2012-val", Math.min(most, sizes.minis), model, asked, places),
]);
const pairs = [
  [sr, relevance],
  [sr, blur],
  [weighted, sr],
  [sr, gradcam],
  [sr, gaussian],
];
const notePath = join(out, "note.txt");
const note = existsSync(notePath) ? `${readFileSync(notePath, "utf8").trim()}\n\n` : "";
const few = small(main.rows);
const { weights } = main;
const first = small(main.rows.slice(0, li.rows.length));
const says = (metric, a, b, rows = few) =>
  `${digits(meanOf(rows, a, metric).mean)} against ${digits(meanOf(rows, b, metric).mean)}`;

const text = `# Where the maps lie: evidence

Made by \`npm run evidence -- DATA OUT\` and never by hand. ${main.rows.length} photos of the ILSVRC2012 validation set with boxes, squashed whole to 224x224;
SqueezeNet 1.0 (\`${weights.file}\`, SHA-256 ${weights.sha256.slice(0, 16)}...); the class of the box is explained, whatever the network says; srmap ${main.srmap}.
Numbers are means with 95 % bootstrap intervals (seeded, 2000 draws); differences are paired, photo by photo, p by random sign changes.

${note}Maps: ${Object.entries(maps)
  .map(([name, what]) => `${shown(name)} ${what}`)
  .join("; ")}.

Metrics: \`pointing15\` the largest value lies on the object or within 15 pixels; \`mass\` share of the map inside the boxes; \`rank\` of the K
largest values, K the boxes' area, the share inside; \`auc\` the chance that a pixel inside is worth more than one outside. More is better.

## In plain words

On objects under half the photo (${few.length} photos):

- **Where Salient Relevance helps.** It has ${digits(meanOf(few, sr, "mass").mean)} of its mass on the object, the relevance ${digits(meanOf(few, relevance, "mass").mean)}: ${words(few, sr, relevance, "mass")} it. By the
  order of the pixels alone (\`rank\`) ${says("rank", sr, relevance)}: ${words(few, sr, relevance, "rank")} it.
- **Where a blur does as well.** The relevance blurred by 5 pixels has a \`rank\` of ${digits(meanOf(few, blur, "rank").mean)}, Salient Relevance differs by ${digits(compared(few, sr, blur, "rank").mean)}; its largest value
  (\`pointing15\`) is ${words(few, sr, blur, "pointing15")} the blur's. What Salient Relevance wins over single pixels by order, a blur wins almost whole.
- **Beside Grad-CAM.** Mass ${says("mass", sr, gradcam)}, rank ${says("rank", sr, gradcam)}.
- **What it costs.** With the largest pixels taken away the class keeps, over the curve, a probability of ${digits(meanOf(faith.rows, sr, "deletion").mean)} (the relevance: ${digits(meanOf(faith.rows, relevance, "deletion").mean)}; less
  is better; ${words(faith.rows, sr, relevance, "deletion")} it); with the largest put into a blurred photo it has ${digits(meanOf(faith.rows, sr, "insertion").mean)} (${digits(meanOf(faith.rows, relevance, "insertion").mean)}; more is better; ${words(faith.rows, sr, relevance, "insertion")} it).
  Imputed from the others instead (\`road\`), the class is still said in ${digits(meanOf(road.rows, sr, "road").mean)} of the steps (the relevance: ${digits(meanOf(road.rows, relevance, "road").mean)}; less is better; ${words(road.rows, sr, relevance, "road")} it).
  That is on ${faith.rows.length} and ${road.rows.length} photos: what is not tellable from another there need not be equal. How long a map takes is in performance.md.
- **What \`--salient weighted\` changes.** Mass ${says("mass", weighted, sr)} as published, rank ${says("rank", weighted, sr)}; deletion ${says("deletion", weighted, sr, faith.rows)},
  insertion ${says("insertion", weighted, sr, faith.rows)}.

## Objects under half the photo: ${few.length} photos

${table(few, all, places)}

${differences(few, pairs, places)}

## All ${main.rows.length} photos

${table(main.rows, all, places)}

${differences(main.rows, pairs, places)}

## The rules of Li et al. 2019

The first ${li.rows.length} photos, of which ${small(li.rows).length} have objects under half the photo: these.

${table(small(li.rows), li2019, places)}

${table(first, [relevance, blur, sr], places)}

## What the network uses: the first ${faith.rows.length} photos

Area under the class's probability while the pixels, an eighth after the other, largest first, go to the mean colour (\`deletion\`, less is
better), or come back into the blurred photo (\`insertion\`, more is better).

${table(faith.rows, removed, lost)}

${differences(
  faith.rows,
  pairs.filter((pair) => pair.every((map) => removed.includes(map))),
  lost,
)}

How often the class is still said (the network's likeliest) when the largest 10 to 90 % of the pixels are imputed from the others, with noise
(\`road\`, less is better): no mean colour, and no edge of a hole, that the network could see. The first ${road.rows.length} photos, whatever the network says of
them whole.

${table(road.rows, imputed, ["road"])}

${differences(
  road.rows,
  pairs.filter((pair) => pair.every((map) => imputed.includes(map))),
  ["road"],
)}

It costs nine imputations and nine forward passes a map: evaluate.md says how long they take.

## The networks of the package, on their ten classes

${minis
  .map(
    ([model, { rows, weights: file }]) =>
      `${model} (weights SHA-256 ${file.sha256.slice(0, 16)}...), the first ${rows.length} photos of ilsvrc2012-val; objects under half the photo: ${small(rows).length}.\n\n${table(rows, asked, places)}\n\n${differences(rows, pairs, places)}`,
  )
  .join("\n\n")}

## How to read it

\`mass\` rewards concentration: multiplying two maps raises it without moving anything, which \`rank\` and \`auc\`, that see only the order of
the pixels, tell apart. Where only \`mass\` tells two maps apart, the gain may be concentration alone. Photos of this set have their object in the
middle: what does not beat \`gaussian\` has shown nothing.

Boxes are no outlines: a map that is right about the object cannot fill its box, and the boxes hold background. A network may rightly look
at what surrounds an object. Where a map lies says nothing of whether the network uses what lies there; that is what \`deletion\` and
\`insertion\` measure, on photos that no camera takes.
${main.leftOut.length === 0 ? "" : `\nLeft out: ${main.leftOut.join(" ")}\n`}`;
writeFileSync(join(root, "docs/evidence.md"), text);
