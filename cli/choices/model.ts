import { modelByName } from "../../engine/models/index.ts";
import { bundledModel, defaultModel } from "../../host/models/bundled.ts";
import { cachedWeights } from "../../host/models/cache.ts";
import { registeredModels } from "../../weights-loader/index.ts";
import { describeError, UsageError } from "../terminal/errors.ts";

/** A network and its weights, found before anything is read. */
export interface ModelChoice {
  /** Undefined for the network that the weight file describes. */
  readonly model: string | undefined;
  readonly weights: string;
}

/**
 * Which network and which weights are meant: as typed; else the weights that come with the package or were fetched before; with
 * neither a name nor a file the network in the package.
 * @throws UsageError for a name that is not known, or weights that are not there
 */
export async function chooseModel(model: string | undefined, weights: string | undefined): Promise<ModelChoice> {
  if (model !== undefined) checkName(model);
  if (weights !== undefined) return { model, weights };
  const name = model ?? defaultModel;
  const bundled = bundledModel(name);
  if (bundled !== undefined) return { model: name, weights: bundled.weights };
  const isRegistered = registeredModels().includes(name);
  const cached = isRegistered ? await cachedWeights(name) : undefined;
  if (cached !== undefined) return { model: name, weights: cached };
  const advice = isRegistered
    ? `"srmap fetch ${name}" downloads the official one, which is then found by itself.`
    : '"srmap models" lists the networks whose weights are there.';
  throw new UsageError(`--model ${name} needs --weights: a file of its trained weights. ${advice}`);
}

function checkName(model: string): void {
  try {
    modelByName(model);
  } catch (error) {
    throw new UsageError(describeError(error));
  }
}
