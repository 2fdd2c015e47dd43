// Which composite shows the object: mass and rank accuracy (Arras et al. 2022) of |R| and of the Salient Relevance map inside the boxes of
// labelled photos, by composite. Usage, after npm run build: node models/composites.mjs FOLDER [every-nth]
// FOLDER has photos/ and annotations.json (COCO; boxes in the photos' own pixels, category ids 0 to 999 in ImageNet's order).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { explainTargets } from "../build/engine/explain.js";
import { loadNetwork } from "../build/host/network/load.js";
import { decodeImage } from "../build/host/photos/decode.js";

const [folder, nth = "1"] = process.argv.slice(2);
const { images, annotations } = JSON.parse(readFileSync(join(folder, "annotations.json"), "utf8"));
const network = await loadNetwork("squeezenet1_1-caffe");
const composites = [
  "epsilonPlus",
  "li2019",
  "epsilonGammaBox",
  "epsilonPlusFlat",
  "epsilonAlpha2Beta1",
  "lrp0",
  "excitationBackprop",
];
const size = 224;

/** Share of the map inside the mask, and share of its strongest pixels, as many as the mask has, inside. */
function score(map, mask) {
  let [inside, all, area] = [0, 0, 0];
  for (let i = 0; i < map.length; i++) {
    all += map[i];
    if (mask[i]) {
      inside += map[i];
      area++;
    }
  }
  const order = [...map.keys()].sort((a, b) => map[b] - map[a]).slice(0, area);
  return { mass: all === 0 ? area / map.length : inside / all, rank: order.filter((i) => mask[i]).length / area };
}

const sums = new Map();
let photos = 0;
for (const [position, image] of images.entries()) {
  if (position % Number(nth) !== 0) continue;
  const boxes = annotations.filter(({ image_id }) => image_id === image.id);
  const mask = new Uint8Array(size * size);
  for (const { bbox } of boxes) {
    const [x, y, w, h] = bbox.map((v, i) => (v * size) / (i % 2 === 0 ? image.width : image.height));
    for (let r = Math.max(0, Math.round(y)); r < Math.min(size, Math.round(y + h)); r++)
      mask.fill(1, r * size + Math.max(0, Math.round(x)), r * size + Math.min(size, Math.round(x + w)));
  }
  const share = mask.reduce((a, b) => a + b, 0) / mask.length;
  if (share === 0 || share >= 0.5) continue; // boxes of more than half the photo tell little
  photos++;
  const input = decodeImage(readFileSync(join(folder, "photos", image.file_name)));
  for (const composite of composites) {
    const [{ relevance, salientRelevance }] = explainTargets(network, input, [boxes[0].category_id], {
      composite,
      salientRelevance: { mode: "fast" },
    });
    const plane = size * size;
    const absolute = Float64Array.from({ length: plane }, (_, i) => {
      let sum = 0;
      for (let c = 0; c < 3; c++) sum += relevance.data[c * plane + i];
      return Math.abs(sum);
    });
    for (const [kind, map] of [
      ["|R|", absolute],
      ["SR", salientRelevance.data],
    ]) {
      const { mass, rank } = score(map, mask);
      const key = `${composite} ${kind}`;
      const before = sums.get(key) ?? { mass: 0, rank: 0 };
      sums.set(key, { mass: before.mass + mass, rank: before.rank + rank });
    }
  }
}
console.log(`${photos} photos with boxes under half of the photo; squeezenet1_1-caffe, target the true class`);
for (const [key, { mass, rank }] of sums)
  console.log(`${key.padEnd(28)} mass ${(mass / photos).toFixed(3)}  rank ${(rank / photos).toFixed(3)}`);
