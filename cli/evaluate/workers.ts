import type { ChildProcess } from "node:child_process";
import { statSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { ask, endOf, hasEnded, startProcess } from "../processes/child.ts";
import { CommandError } from "../terminal/errors.ts";
import type { EvaluationRequest } from "./request.ts";
import type { Row } from "./summary.ts";
import type { Unit } from "./units.ts";

/** What a worker process is sent: first the command line, then photos. */
export type ToWorker = { readonly argv: readonly string[]; readonly folder: string } | { readonly unit: Unit };

/** Its answer to a photo; null for one that is left out for its size. */
export type FromWorker =
  | { readonly row: Row | null; readonly error?: undefined }
  | { readonly row?: undefined; readonly error: string };

/** Evaluates one photo after the other. */
export interface Evaluator {
  /** @throws what there is to say of the photo */
  evaluate(unit: Unit): Promise<Row | null>;
  close(): void;
}

/** What a process needs besides the weights; randomised networks stand beside the trained one in each. */
const [workerBytes, randomisedBytes] = [220e6, 900e6];

/** How many processes share the photos: a core each, in half of the machine's memory, and eight photos at least for each that is started. */
export function jobsFor(
  { jobs, threads, metrics, choice }: Pick<EvaluationRequest, "jobs" | "threads" | "metrics" | "choice">,
  photos: number,
): number {
  if (jobs !== undefined) return Math.min(jobs, Math.max(1, photos));
  const isRandomising = metrics.some((name) => /^(cascade|layers)/.test(name));
  const each = workerBytes + 2 * statSync(choice.weights).size + (isRandomising ? randomisedBytes : 0);
  const fitting = Math.floor(totalmem() / 2 / each);
  return Math.max(1, Math.min(Math.floor(availableParallelism() / threads), fitting, Math.floor(photos / 8)));
}

const script = new URL("./worker.js", import.meta.url);

/** A process that evaluates photos; where one ends it, the next is evaluated in a new one. */
export function startEvaluator(argv: readonly string[]): Evaluator {
  let child: ChildProcess | undefined;
  return {
    async evaluate(unit) {
      if (child === undefined || hasEnded(child)) {
        child = startProcess(script, { argv, folder: process.cwd() } satisfies ToWorker, true);
      }
      const asked = child;
      const answer = await ask<ToWorker, FromWorker>(asked, { unit });
      if (answer === undefined) throw new CommandError(`its process ${endOf(asked)}.`);
      if (answer.error !== undefined) throw new CommandError(answer.error);
      return answer.row;
    },
    close: () => void child?.kill("SIGTERM"),
  };
}
