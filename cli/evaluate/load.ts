import type { Kernels } from "../../engine/memory/kernels.ts";
import type { Network } from "../../engine/network/network.ts";
import { loadNetwork } from "../../host/network/load.ts";
import type { EvaluationRequest } from "./request.ts";

/** The network that was asked for. */
export function loadForEvaluation({ choice, load }: EvaluationRequest, kernels: Kernels): Promise<Network> {
  return loadNetwork(choice.model, choice.weights, { ...load, kernels });
}
