import { basename, join, resolve } from "node:path";
import { mustHave } from "../../engine/basics/must-have.ts";
import { sha256File } from "../../host/files/sha256.ts";
import { photoExplainer } from "../explain/explainer.ts";
import { explainOptions } from "../explain/options.ts";
import { readRequest } from "../explain/request.ts";
import { openRun, planRun } from "../explain/run-plan.ts";
import type { WorkerStart } from "../explain/worker-protocol.ts";
import { expandInputs, isUrl, photoInputs } from "../inputs/expand.ts";
import { tellLeftOut } from "../inputs/left-out.ts";
import { defaultFolder, requireWritable } from "../outputs/outputs.ts";
import { addPhotos, queueOption, readPlace, shownPlace, withQueue } from "../queue/photo-queue.ts";
import { inGroup, type OptionTable } from "../terminal/arguments.ts";
import { UsageError, weightsError } from "../terminal/errors.ts";
import { createProgress } from "../terminal/progress.ts";
import { mostOfPath, shown } from "../terminal/shown.ts";
import type { Command } from "./command.ts";

const notHere = ["jobs", "shard", "labels", "ledger", "json"];

const options: OptionTable = {
  ...inGroup("Queue", queueOption),
  ...Object.fromEntries(Object.entries(explainOptions).filter(([name]) => !notHere.includes(name))),
};

/** The command line of `srmap explain` that means the same: without the queue. */
function explainArguments(argv: readonly string[], positionals: readonly string[]): string[] {
  const own = ["--queue", "-q", "--name"];
  return argv.filter((argument, i) => {
    const isOwn = own.some((option) => argument === option || argument.startsWith(`${option}=`));
    return !isOwn && !own.includes(argv[i - 1] ?? "") && !positionals.includes(argument);
  });
}

/** `srmap enqueue`: photos into a queue. */
export const enqueue: Command = {
  summary: "Puts photos into a queue, for workers on any number of machines",
  usage: "PHOTO... --queue redis://HOST:PORT [options of explain]",
  options,
  notes: `Takes what "srmap explain" takes and does what it would do, but leaves the work to
"srmap work" on as many machines as there are. All of them have to see photos,
weights and DIR under the same paths. A photo that is in the queue already stays
there once; one that is done is looked at again and kept if nothing changed.
"srmap queue" says how far it is, "srmap index DIR" writes the index at the end.

Needs the packages bullmq and ioredis: npm install bullmq@6 ioredis@6.

Example:
  srmap enqueue photos --out maps --queue redis://localhost:6379`,

  async run(given, terminal) {
    if (given.positionals.length === 0) {
      throw new UsageError('enqueue needs photos: srmap enqueue PHOTO... See "srmap help enqueue".');
    }
    const place = readPlace(given);
    const request = await readRequest(given);
    const out = resolve(request.out ?? defaultFolder);
    const inputs = await expandInputs(given.positionals, photoInputs);
    tellLeftOut(inputs, photoInputs, terminal);
    const run = planRun(inputs, request, out);
    const weightsSha256 = sha256File(request.weights).catch((error: unknown) => {
      throw weightsError(request.weights, error);
    });
    // What is wrong with the network is told here and not by every worker.
    const explainer = photoExplainer(request, weightsSha256);
    await explainer.load();
    await explainer.close();
    requireWritable(out);
    const start: WorkerStart = {
      argv: explainArguments(given.argv, given.positionals),
      folder: process.cwd(),
      weights: { file: basename(request.weights), sha256: await weightsSha256 },
      zarr: run.zarr,
      threads: given.has("threads") ? request.threads : 1,
    };
    const photos = run.items.flatMap((item) =>
      "task" in item
        ? [{ start, task: { ...item.task, path: isUrl(item.task.path) ? item.task.path : resolve(item.task.path) } }]
        : [],
    );
    let failed = 0;
    for (const [i, item] of run.items.entries()) {
      if (!("error" in item)) continue;
      failed++;
      terminal.err(`${shown(mustHave(run.paths[i], "path"), mostOfPath)}: ${item.error}\n`);
    }
    const progress = createProgress(terminal, photos.length);
    await withQueue(place, async (queue) => {
      openRun(run, [...start.argv, ...given.positionals]);
      await addPhotos(queue, photos, (added) => progress.update(added, "in the queue"));
    });
    progress.clear();
    terminal.out(`${photos.length} photos are in ${shownPlace(place)}. Results go to ${join(out, "/")}.\n`);
    return failed > 0 ? 1 : 0;
  },
};
