import { UnsupportedError } from "../../engine/basics/errors.ts";
import type { Kernels } from "../../engine/memory/kernels.ts";
import { modelByName } from "../../engine/models/index.ts";
import { Network } from "../../engine/network/network.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { bindWeights, checkFit } from "../../weights-loader/bind.ts";
import { openSafetensors } from "../../weights-loader/safetensors/file.ts";
import type { WebNetwork } from "../messages.ts";
import { type LoadWatch, sourceOf } from "./source-of.ts";

/**
 * As `loadNetwork`, for a network of the package, named, with its safetensors: the part of it that the first picture of the page needs.
 * @throws as `loadNetwork`; UnsupportedError when no network is named
 */
export async function loadBundled(kernels: Kernels, web: WebNetwork, watch: LoadWatch = {}): Promise<Network> {
  if (typeof web.model !== "string") throw new UnsupportedError("page: networks of one's own need the other worker.");
  const { source, name } = await sourceOf(web, watch);
  watch.report?.({ stage: "network", done: 0, total: undefined });
  const definition = modelByName(web.model);
  const file = await openSafetensors(source, name);
  checkFit(networkParameters(definition), file, []); // before memory is reserved for what the file only claims
  const network = new Network(kernels, definition);
  await bindWeights(network, file);
  return network;
}
