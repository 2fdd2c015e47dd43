import { fillValues } from "../../test/cases/values.ts";
import { checked } from "../measure/difference.ts";
import { type Effort, measure } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";
import { convolution64 } from "../nets/float64.ts";
import { algorithmName, arithmetic, choices, chosenTile, possibleTiles, readyConvolution } from "./convolution.ts";

/** The convolutions of a shape file by every algorithm, also those that the table does not choose: why it chooses as it does. */
export function benchKernels(module: WebAssembly.Module, file: string, effort: Effort): Result[] {
  return choices(file)
    .slice(0, effort.once ? 1 : undefined)
    .flatMap(({ name, conv }) => {
      const { channels, outChannels, height, width, kernel } = conv;
      const weights = fillValues(outChannels * channels * kernel ** 2, "uniform", 31);
      const input = fillValues(channels * height * width, "rectified", 32);
      const exact = convolution64(conv, weights, input, 4);
      return possibleTiles(conv).map((tile): Result => {
        const ready = readyConvolution(module, conv, tile, weights, input);
        ready.run();
        const output = ready.output();
        const sampled = exact.places.map((place) => output[place]!);
        const title = `${name} ${algorithmName(tile, conv)}`;
        return {
          group: `kernels of ${file}`,
          name: `${title}${tile === chosenTile(conv) ? ", chosen" : ""}`,
          by: "srmap",
          threads: 1,
          flop: arithmetic(conv, 0),
          arithmetic: arithmetic(conv, tile),
          check: checked(title, sampled, exact.values, "float64", 1e-5),
          timing: measure(effort, () => ready.run(), 0.3),
        };
      });
    });
}
