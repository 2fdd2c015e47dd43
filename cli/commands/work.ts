import { availableParallelism } from "node:os";
import { queueOption, readPlace, shownPlace } from "../queue/photo-queue.ts";
import { startQueueWorker } from "../queue/work.ts";
import { UsageError } from "../terminal/errors.ts";
import { hearInterrupts, type Interrupt, interruptCodes } from "../terminal/interrupts.ts";
import { wholeOption } from "../terminal/number-options.ts";
import { shown } from "../terminal/shown.ts";
import type { Command } from "./command.ts";

/** `srmap work`: explains photos from a queue. */
export const work: Command = {
  summary: "Explains photos from a queue, on this machine",
  usage: "--queue redis://HOST:PORT [options]",
  options: {
    ...queueOption,
    jobs: {
      value: "N",
      help: `Processes that work side by side. Default: as many as there are cores (${availableParallelism()}).`,
    },
    lease: {
      value: "SECONDS",
      help: "After so long a silence of a worker its photos go to others. Default 30.",
    },
    "until-empty": { help: "End when nothing is left in the queue. Default: wait for more." },
    quiet: { help: "Print only what fails." },
  },
  notes: `Workers come and go: one that is killed loses nothing, its photos go to others. A
photo that cannot be read is parked at once, what may pass (a full disk, a process
that died) is tried three times, a second and two apart. A photo that ends its
worker three times is parked, too. "srmap queue" lists what is parked. Ctrl-C and a
termination signal end the worker when the photos that it has are done.

Needs the packages bullmq and ioredis: npm install bullmq@6 ioredis@6.

Example:
  srmap work --queue redis://localhost:6379 --until-empty`,

  async run(given, terminal) {
    if (given.positionals.length > 0) {
      throw new UsageError(`work takes no argument, got "${given.positionals[0]}". See "srmap help work".`);
    }
    const place = readPlace(given);
    const jobs = wholeOption(given, "jobs", { low: 1, high: 256 }, availableParallelism());
    const leaseSeconds = wholeOption(given, "lease", { low: 1, high: 3600 }, 30);
    const isQuiet = given.has("quiet");
    const counts = { done: 0, parked: 0 };
    let told = "";
    const worker = await startQueueWorker(
      place,
      { jobs, leaseSeconds },
      {
        done(photo, isKept) {
          counts.done++;
          told = "";
          if (!isQuiet) terminal.out(`${isKept ? "kept" : "done"} ${shown(photo, 300)}\n`);
        },
        failed(photo, reason, isLast) {
          if (isLast) counts.parked++;
          terminal.err(`${isLast ? "parked" : "to be tried again"}: ${shown(photo, 300)}: ${shown(reason, 1000)}\n`);
        },
        trouble(message) {
          // A server that is away is told once, not at every try.
          if (told === message) return;
          told = message;
          terminal.err(`${shownPlace(place)}: ${shown(message, 300)}\n`);
        },
      },
    );
    let interrupt: Interrupt | undefined;
    const interrupted = new Promise<void>((resolve) => {
      hearInterrupts((what) => {
        if (interrupt !== undefined) process.exit(interruptCodes[what]); // asked twice: now
        interrupt = what;
        terminal.err("ends when the photos in work are done.\n");
        resolve();
      });
    });
    if (!isQuiet) terminal.err(`works on ${shownPlace(place)} in ${jobs} processes.\n`);
    await (given.has("until-empty") ? Promise.race([interrupted, worker.emptied()]) : interrupted);
    await worker.close();
    terminal.out(`${counts.done} photos done, ${counts.parked} parked.\n`);
    return counts.parked > 0 ? 1 : 0;
  },
};
