// A process that evaluates photos for `srmap evaluate --jobs`: side by side with others, each with its own network and plans.
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { describeError } from "../terminal/errors.ts";
import { loadForEvaluation } from "./load.ts";
import { randomisedNetworks } from "./randomised.ts";
import { evaluationOptions, readEvaluation } from "./request.ts";
import { type EvaluationSettings, evaluateUnit } from "./run.ts";
import type { Unit } from "./units.ts";
import type { FromWorker, ToWorker } from "./workers.ts";

async function start(argv: readonly string[], folder: string): Promise<EvaluationSettings> {
  process.chdir(folder);
  const request = await readEvaluation(parseArguments("evaluate", evaluationOptions, argv));
  const { threads } = request;
  const network = await loadForEvaluation(request, await loadKernels(threads > 1 ? { threads } : {}));
  return { ...request, network, randomised: randomisedNetworks(network, request.choice, request.seed, request.load) };
}

async function rowOf(settings: Promise<EvaluationSettings>, unit: Unit): Promise<FromWorker> {
  try {
    return { row: (await evaluateUnit(unit, await settings)) ?? null };
  } catch (error) {
    return { error: describeError(error) };
  }
}

let settings: Promise<EvaluationSettings> | undefined;

process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToWorker) => {
  if ("argv" in message) {
    settings = start(message.argv, message.folder);
    settings.catch(() => {}); // told with the first photo
  } else if (settings !== undefined) {
    rowOf(settings, message.unit).then((answer) => process.send?.(answer));
  }
});
