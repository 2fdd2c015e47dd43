import type { Algorithm } from "../../engine/layers/linear/winograd.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { salientRelevance } from "../../engine/salient/salient-relevance.ts";
import { type SeededNetName, seededNetNames } from "../../test/cases/seeded-nets.ts";
import { fillValues } from "../../test/cases/values.ts";
import { correlation, relativeL2 } from "../measure/difference.ts";
import type { Effort } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";
import { convolution64 } from "../nets/float64.ts";
import { buildSeeded, topStart } from "../nets/seeded.ts";
import { type ConvSize, readShapes } from "../nets/shapes.ts";
import { algorithmName, chosenTile, possibleTiles, readyConvolution, turned, turnedSize } from "./convolution.ts";

/** Far beyond rounding: a broken kernel, not an inaccurate one. */
const broken = 1e-4;

const positive = (values: Float32Array): Float32Array => values.map((value) => Math.max(value, 0));

/** How far each algorithm is from float64, layer by layer: forward, transposed, and both with w+ as the z+ rule runs them. */
function layerAccuracy(module: WebAssembly.Module, file: string, effort: Effort): Result[] {
  const results: Result[] = [];
  for (const { name, conv } of readShapes(file)) {
    if (conv === undefined || (effort.once && conv.kernel > 3)) continue;
    const { channels, outChannels, height, width, kernel, stride, pad, group } = conv;
    const weights = fillValues((outChannels * channels * kernel ** 2) / group, "uniform", 31);
    const input = fillValues(channels * height * width, "rectified", 32);
    const passes: [string, ConvSize, Float32Array, Float32Array][] = [
      ["forward", conv, weights, input],
      ["z+ forward", conv, positive(weights), input],
    ];
    // Layers that keep the image's size: what goes back is a convolution too.
    if (stride === 1 && group === 1 && 2 * pad === kernel - 1) {
      const back = turnedSize(conv);
      const signed = fillValues(outChannels * height * width, "uniform", 33);
      passes.push(["transposed", back, turned(conv, weights), signed]);
      passes.push(["z+ transposed", back, turned(conv, positive(weights)), positive(signed)]);
    }
    for (const [pass, size, w, x] of passes) {
      const exact = convolution64(size, w, x, effort.once ? 2 : 48);
      for (const tile of possibleTiles(size)) {
        const ready = readyConvolution(module, size, tile, w, x);
        ready.run();
        const output = ready.output();
        const off = relativeL2(
          exact.places.map((place) => output[place]!),
          exact.values,
        );
        if (!(off < broken))
          throw new Error(`accuracy: ${name} ${pass} ${algorithmName(tile, size)} is off by ${off}.`);
        results.push({
          group: `accuracy of ${file} against float64`,
          name: `${name} ${pass}`,
          by: `${algorithmName(tile, size)}${tile === chosenTile(size) ? ", chosen" : ""}`,
          threads: 1,
          value: off,
          unit: "relative L2",
        });
      }
    }
  }
  return results;
}

/** Relevance maps and Salient Relevance maps of a whole network by one algorithm. */
function mapsOf(module: WebAssembly.Module, name: SeededNetName, algorithm: Algorithm, composites: readonly string[]) {
  const { network, input } = buildSeeded(module, name, { algorithm });
  const logits = network.forward(input).data;
  const maps = composites.map((composite) => {
    const { relevance } = network.relevancePlan(compositeByName(composite)).run(topStart(logits));
    return { relevance: relevance.data, salient: salientRelevance(network.kernels, relevance).map.data };
  });
  return { logits, maps };
}

/** What the choice of algorithms moves in a network's results: auto against direct. */
function networkAccuracy(module: WebAssembly.Module, name: SeededNetName): Result[] {
  const composites = ["li2019", "epsilonPlus", "epsilonGammaBox"];
  const direct = mapsOf(module, name, "direct", composites);
  const auto = mapsOf(module, name, "auto", composites);
  const common = { group: `accuracy of ${name}, algorithm auto against direct`, by: "srmap", threads: 1 };
  const off = { ...common, unit: "relative L2" };
  return [
    { ...off, name: "logits", value: relativeL2(auto.logits, direct.logits) },
    ...composites.flatMap((composite, i): Result[] => {
      const [a, d] = [auto.maps[i], direct.maps[i]];
      if (a === undefined || d === undefined) return [];
      const alike = correlation(a.salient, d.salient);
      return [
        { ...off, name: `${composite} relevance`, value: relativeL2(a.relevance, d.relevance) },
        { ...common, name: `${composite} SR map, 1 - correlation`, value: 1 - alike, unit: "" },
      ];
    }),
  ];
}

/** The numerical effect of every algorithm. */
export function benchAccuracy(module: WebAssembly.Module, effort: Effort): Result[] {
  const layers = (effort.once ? ["alexnet"] : ["alexnet", "vgg16"]).flatMap((file) =>
    layerAccuracy(module, file, effort),
  );
  const networks = effort.once ? [] : seededNetNames.flatMap((name) => networkAccuracy(module, name));
  return [...layers, ...networks];
}
