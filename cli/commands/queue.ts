import { queueOption, queueState, readPlace, shownPlace, withQueue } from "../queue/photo-queue.ts";
import { UsageError } from "../terminal/errors.ts";
import { createProgress } from "../terminal/progress.ts";
import { shown } from "../terminal/shown.ts";
import type { Command } from "./command.ts";

/** `srmap queue`: how far a queue is. */
export const queue: Command = {
  summary: "Says how far a queue is, and what is parked",
  usage: "--queue redis://HOST:PORT [options]",
  options: {
    ...queueOption,
    wait: { help: "Wait until nothing is left to do." },
    retry: { help: "Put what is parked back into the queue first." },
    json: { help: "Print one JSON document instead of text." },
  },
  notes: `Exit code 1 when photos are parked.

Example:
  srmap queue --queue redis://localhost:6379 --wait; srmap index maps`,

  async run(given, terminal) {
    if (given.positionals.length > 0) {
      throw new UsageError(`queue takes no argument, got "${given.positionals[0]}". See "srmap help queue".`);
    }
    const place = readPlace(given);
    return withQueue(place, async (opened) => {
      if (given.has("retry")) await opened.retryJobs({ state: "failed" });
      let state = await queueState(opened);
      if (given.has("wait")) {
        const progress = createProgress(terminal, state.waiting + state.active + state.done + state.parked);
        while (state.waiting + state.active > 0) {
          progress.update(state.done + state.parked, `${state.active} in work, ${state.parked} parked`);
          await new Promise((resolve) => setTimeout(resolve, 500));
          state = await queueState(opened);
        }
        progress.clear();
      }
      if (given.has("json")) terminal.out(`${JSON.stringify({ queue: shownPlace(place), ...state }, null, 2)}\n`);
      else {
        const { waiting, active, done, parked, failures } = state;
        const list = failures.map(({ photo, reason }) => `  ${shown(photo, 300)}: ${shown(reason, 1000)}\n`).join("");
        const more = parked > failures.length ? `  and ${parked - failures.length} more\n` : "";
        terminal.out(
          `${shownPlace(place)}: ${done} done, ${active} in work, ${waiting} waiting, ${parked} parked\n${list}${more}`,
        );
      }
      return state.parked > 0 ? 1 : 0;
    });
  },
};
