import type { Stage } from "../../engine/graph/definition.ts";
import { constants, type State } from "./state.ts";

/** Values per channel, or the name of a tensor that is registered already. */
type PerChannel = Float32Array | string | undefined;

/** scale x + bias per channel, as a batch norm whose statistics do nothing; what is undefined is left out. */
export function affine(
  state: State,
  name: string,
  channels: number,
  { scale, bias }: { readonly scale?: PerChannel; readonly bias?: PerChannel },
): Stage {
  const named = (part: string, values: Float32Array | string): string =>
    typeof values === "string" ? values : constants(state, `${name}.${part}`, values);
  return {
    op: "batchNorm",
    epsilon: 0,
    mean: named("mean", new Float32Array(channels)),
    variance: named("variance", new Float32Array(channels).fill(1)),
    ...(scale === undefined ? {} : { scale: named("scale", scale) }),
    ...(bias === undefined ? {} : { bias: named("bias", bias) }),
  };
}
