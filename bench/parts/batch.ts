import type { Tensor } from "../../engine/basics/tensor.ts";
import type { Network } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { checked } from "../measure/difference.ts";
import { type Effort, median } from "../measure/measure.ts";
import type { Result } from "../measure/result.ts";
import { topStart } from "../nets/seeded.ts";

/** Several photos through one network, one after another: photos a second. */
export function benchBatch(network: Network, input: Tensor, effort: Effort): Result[] {
  const common = { group: `batch, ${network.definition.name}`, by: "srmap", threads: network.kernels.threads };
  const { length } = input.data;
  const photos = Array.from({ length: effort.once ? 2 : 8 }, (_, photo): Tensor => {
    const shift = photo * 4801;
    return { ...input, data: Float32Array.from(input.data, (_value, i) => input.data[(i + shift) % length]!) };
  });
  const plan = network.relevancePlan(compositeByName("li2019"));
  const map = (photo: Tensor): Float32Array => plan.run(topStart(network.forward(photo).data)).relevance.data;
  // What came before leaves no trace.
  const [first = input] = photos;
  const alone = map(first);
  photos.map(map);
  const check = checked("batch", map(first), alone, "alone", 0);
  const rows = [
    ["forward", () => photos.map((photo) => network.forward(photo))],
    ["forward and li2019", () => photos.map(map)],
  ] as const;
  return rows.map(([name, run]): Result => {
    const times = Array.from({ length: effort.once ? 1 : 5 }, () => {
      const started = performance.now();
      run();
      return performance.now() - started;
    });
    const perSecond = (1000 * photos.length) / median(times);
    return { ...common, name: `${name}, ${photos.length} photos`, check, value: perSecond, unit: "photos/s" };
  });
}
