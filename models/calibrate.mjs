// Temperature and reliability of the networks in the package (Guo et al. 2017): the T that makes softmax(logits / T) most likely on labelled
// photos that serve nothing else, and how often answers of each confidence are right. Usage, after npm run build:
//   node models/calibrate.mjs FOLDER [model ...]
// FOLDER has one folder of photos per class, named by WordNet id: the held-out photos that held_out.py writes. Every other photo fits, the rest tests.
// Writes the reliability diagram of the photos that test to <model>-reliability.svg beside this file.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { preprocess } from "../build/engine/picture/preprocess.js";
import { loadNetwork } from "../build/host/network/load.js";
import { decodeImage } from "../build/host/photos/decode.js";

const [folder, ...named] = process.argv.slice(2);
const models =
  named.length > 0 ? named : Object.keys(JSON.parse(readFileSync(new URL("models.json", import.meta.url), "utf8")));
// Imagenette's classes and their places among ImageNet's 1000.
const indices = {
  n01440764: 0,
  n02102040: 217,
  n02979186: 482,
  n03000684: 491,
  n03028079: 497,
  n03394916: 566,
  n03417042: 569,
  n03425413: 571,
  n03445777: 574,
  n03888257: 701,
};
const wnids = Object.keys(indices);

function probabilities(logits, temperature) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp((value - largest) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}

// How often answers are right, of each fifth of confidence; `curves` has one list of bins for the raw and one for the calibrated probability.
function diagram(model, curves, temperature, count) {
  const [left, top, side] = [46, 44, 240];
  const x = (share) => (left + side * share).toFixed(1);
  const y = (share) => (top + side * (1 - share)).toFixed(1);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 470 330" font-family="system-ui, sans-serif" font-size="11" fill="#334155">`,
    `<title>Reliability of ${model}: confidence against share of right answers</title>`,
    `<rect width="470" height="330" fill="#fff"/>`,
    `<text x="${left}" y="24" font-size="13" font-weight="600" fill="#0f172a">${model}: right answers by confidence</text>`,
  ];
  for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    parts.push(
      `<path d="M${x(tick)} ${top}V${top + side}M${left} ${y(tick)}H${left + side}" stroke="#e2e8f0"/>`,
      `<text x="${x(tick)}" y="${top + side + 16}" text-anchor="middle">${100 * tick}</text>`,
      `<text x="${left - 8}" y="${Number(y(tick)) + 4}" text-anchor="end">${100 * tick}</text>`,
    );
  }
  parts.push(`<path d="M${x(0)} ${y(0)}L${x(1)} ${y(1)}" stroke="#94a3b8" stroke-dasharray="4 4"/>`);
  const styles = [
    ["#94a3b8", "as the network says it", 0.5],
    ["#be3a0b", `with temperature ${temperature.toFixed(3)}`, 1],
  ];
  curves.forEach((bins, i) => {
    const [colour, words] = styles[i];
    const full = bins.filter((bin) => bin.count > 0);
    const at = (bin) => [x(bin.confidence / bin.count), y(bin.right / bin.count)];
    parts.push(
      `<path d="M${full.map((bin) => at(bin).join(" ")).join("L")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    );
    // Areas of the points are the bins' shares of the photos.
    for (const bin of full) {
      const [cx, cy] = at(bin);
      const radius = (2 + 12 * Math.sqrt(bin.count / count)).toFixed(1);
      parts.push(
        `<circle cx="${cx}" cy="${cy}" r="${radius}" fill="${colour}" fill-opacity=".55" stroke="${colour}"/>`,
      );
    }
    parts.push(
      `<circle cx="310" cy="${76 + 22 * i}" r="5" fill="${colour}"/><text x="322" y="${80 + 22 * i}">${words}</text>`,
    );
  });
  parts.push(
    `<path d="M304 120h12" stroke="#94a3b8" stroke-dasharray="4 4"/><text x="322" y="124">perfectly calibrated</text>`,
    `<text x="304" y="152">size: share of ${count} photos</text>`,
    `<text x="${left + side / 2}" y="${top + side + 34}" text-anchor="middle">confidence, %</text>`,
    `<text transform="translate(14 ${top + side / 2}) rotate(-90)" text-anchor="middle">right, %</text>`,
    "</svg>",
  );
  return `${parts.join("\n")}\n`;
}

for (const model of models) {
  const network = await loadNetwork(model);
  const { preprocessing, inputShape } = network.definition;
  const samples = [];
  for (const [position, wnid] of wnids.entries()) {
    const label = network.classCount === 1000 ? indices[wnid] : position;
    for (const file of readdirSync(join(folder, wnid)).sort().slice(0, 60)) {
      const image = decodeImage(readFileSync(join(folder, wnid, file)));
      samples.push({ logits: network.forward(preprocess(image, preprocessing, inputShape).tensor).data, label });
    }
  }
  const loss = (temperature) =>
    samples
      .filter((_, i) => i % 2 === 0)
      .reduce(
        (sum, { logits, label }) => sum - Math.log(Math.max(1e-12, probabilities(logits, temperature)[label])),
        0,
      );
  let [low, high] = [0.2, 5];
  while (high - low > 1e-3) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (loss(a) < loss(b)) high = b;
    else low = a;
  }
  const temperature = (low + high) / 2;
  const tested = samples.filter((_, i) => i % 2 === 1);
  console.log(
    `${model}: temperature ${temperature.toFixed(3)}, from ${samples.length - tested.length} photos; on ${tested.length} others:`,
  );
  const curves = [1, temperature].map((t) => {
    const bins = Array.from({ length: 5 }, () => ({ right: 0, count: 0, confidence: 0 }));
    for (const { logits, label } of tested) {
      const p = probabilities(logits, t);
      const best = p.indexOf(Math.max(...p));
      const bin = bins[Math.min(4, Math.floor(5 * p[best]))];
      bin.count++;
      bin.confidence += p[best];
      if (best === label) bin.right++;
    }
    const error = bins.reduce((sum, { right, confidence }) => sum + Math.abs(right - confidence), 0) / tested.length;
    console.log(`  T ${t.toFixed(2)}: expected calibration error ${(100 * error).toFixed(1)} %`);
    bins.forEach(({ right, count, confidence }, i) => {
      if (count > 0)
        console.log(
          `    ${20 * i} to ${20 * i + 20} %: says ${((100 * confidence) / count).toFixed(0)} %, right ${((100 * right) / count).toFixed(0)} % of ${count}`,
        );
    });
    return bins;
  });
  const file = new URL(`${model}-reliability.svg`, import.meta.url);
  writeFileSync(file, diagram(model, curves, temperature, tested.length));
  // The threshold of the note, on the photos that fitted the temperature: most wrong answers with it, fewest right ones (Youden's index).
  const answers = samples
    .filter((_, i) => i % 2 === 0)
    .map(({ logits, label }) => {
      const p = probabilities(logits, temperature);
      const best = p.indexOf(Math.max(...p));
      return { p: p[best], isRight: best === label };
    });
  const share = (isRight, threshold) => {
    const all = answers.filter((answer) => answer.isRight === isRight);
    return all.filter(({ p }) => p < threshold).length / all.length;
  };
  for (const threshold of [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) {
    const [wrong, right] = [share(false, threshold), share(true, threshold)];
    console.log(
      `  below ${threshold}: ${(100 * wrong).toFixed(0)} % of the wrong answers, ${(100 * right).toFixed(0)} % of the right ones, index ${(wrong - right).toFixed(2)}`,
    );
  }
}
