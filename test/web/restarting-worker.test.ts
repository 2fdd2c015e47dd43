import * as assert from "uvu/assert";
import { restartingWorker } from "../../web/explainer/restarting-worker.ts";
import type { Answer } from "../../workers/explainer/messages.ts";
import { suite } from "../support/suite.ts";

/** Workers that a test answers for, and a clock that it moves. */
function scene() {
  const workers: { posted: unknown[]; isEnded: boolean; say: (answer: Answer) => void }[] = [];
  const answers: Answer[] = [];
  let waiting: (() => void) | undefined;
  const before = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  Object.assign(globalThis, {
    setTimeout: (work: () => void) => {
      waiting = work;
      return 1;
    },
    clearTimeout: () => {
      waiting = undefined;
    },
  });
  const port = restartingWorker(
    (say) => {
      const worker = { posted: [] as unknown[], isEnded: false, say };
      workers.push(worker);
      return {
        postMessage: (message: unknown) => worker.posted.push(message),
        terminate: () => {
          worker.isEnded = true;
        },
      };
    },
    (answer) => answers.push(answer),
  );
  return {
    port,
    workers,
    answers,
    timePasses: () => waiting?.(),
    end: () => Object.assign(globalThis, before),
  };
}

const open = { type: "open", id: 1, network: { weights: "/w" }, threads: 4 };
const threads = (done: number): Answer => ({
  type: "progress",
  id: 1,
  progress: { stage: "threads", done, total: 4 },
});

suite("restarting-worker", (test) => {
  test("a worker that does not come back from starting threads is replaced, once, by one without", () => {
    const { port, workers, answers, timePasses, end } = scene();
    try {
      port.post(open, []);
      workers[0]?.say(threads(0));
      timePasses();
      assert.is(workers.length, 2);
      assert.ok(workers[0]?.isEnded);
      assert.equal(workers[1]?.posted, [{ ...open, threads: 1 }]);
      workers[1]?.say(threads(0));
      timePasses();
      assert.is(workers.length, 2);
      port.post({ type: "abort", id: 1 }, []);
      assert.equal(workers[1]?.posted.at(-1), { type: "abort", id: 1 });
      assert.equal(answers, [threads(0), threads(0)]);
      port.terminate();
      assert.ok(workers[1]?.isEnded);
    } finally {
      end();
    }
  });

  test("one that comes back stays, however long it loads; so does one that has no threads", () => {
    const { port, workers, timePasses, end } = scene();
    try {
      timePasses();
      port.post(open, []);
      workers[0]?.say(threads(0));
      workers[0]?.say(threads(4));
      timePasses();
      workers[0]?.say({ type: "failed", id: 1, error: { name: "Error", message: "no such address" } });
      port.post({ ...open, id: 2 }, []);
      timePasses();
      assert.is(workers.length, 1);
      assert.equal(workers[0]?.posted, [open, { ...open, id: 2 }]);
    } finally {
      end();
    }
  });
});
