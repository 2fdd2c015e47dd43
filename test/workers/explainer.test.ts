import * as assert from "uvu/assert";
import { createExplainerFor } from "../../workers/explainer/client.ts";
import { AbortError, BusyError, WorkerError } from "../../workers/explainer/errors.ts";
import type { Answer, Call, NetworkInfo } from "../../workers/explainer/messages.ts";
import { suite } from "../support/suite.ts";

type AnyCall = Call<string, string>;

const info: NetworkInfo = {
  name: "net",
  inputShape: [1, 2, 2],
  classCount: 2,
  labels: undefined,
  preprocessing: undefined,
  notKept: undefined,
  layers: [],
  threads: 1,
};

/** Workers that only note what they are told. */
function fakeHost(): {
  readonly workers: {
    calls: AnyCall[];
    answer: (answer: Answer) => void;
    failed: (reason: string) => void;
    isEnded: boolean;
  }[];
  readonly host: Parameters<typeof createExplainerFor<string, string, string>>[0];
} {
  const workers: ReturnType<typeof fakeHost>["workers"] = [];
  return {
    workers,
    host: {
      network: "n",
      threads: 1,
      postPhoto: (photo) => ({ photo, transfer: [] }),
      start: (answer, failed) => {
        const worker = { calls: [] as AnyCall[], answer, failed, isEnded: false };
        workers.push(worker);
        return {
          post: (message) => worker.calls.push(message as AnyCall),
          terminate: () => {
            worker.isEnded = true;
          },
        };
      },
    },
  };
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("it did not fail");
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

suite("explainer client", (test) => {
  test("a dead worker fails every pending call, and the next call starts a new one", async () => {
    const { workers, host } = fakeHost();
    const explainer = createExplainerFor(host);
    const calls = [explainer.explain("a"), explainer.explain("b")].map(failureOf);
    await turn();
    assert.is(workers.length, 1);
    workers[0]?.answer({ type: "opened", id: 1, info });
    await turn();
    assert.equal(
      workers[0]?.calls.map(({ type }) => type),
      ["open", "explain", "explain"],
    );
    workers[0]?.failed("died: out of memory");
    for (const error of await Promise.all(calls)) {
      assert.instance(error, WorkerError);
      assert.is(error.message, "explainer: its worker died: out of memory. The next call starts a new one.");
    }
    assert.is(explainer.pending, 0);
    const again = explainer.open();
    await turn();
    assert.is(workers.length, 2);
    workers[1]?.answer({ type: "opened", id: workers[1].calls[0]?.id ?? 0, info });
    assert.is((await again).name, "net");
    explainer.close();
    assert.ok(workers[1]?.isEnded);
  });

  test("a network that does not load is asked for again by the next call", async () => {
    const { workers, host } = fakeHost();
    const explainer = createExplainerFor(host);
    const first = failureOf(explainer.open());
    await turn();
    workers[0]?.answer({ type: "failed", id: 1, error: { name: "FormatError", message: "damaged" } });
    assert.is((await first).name, "FormatError");
    void explainer.open().catch(() => {});
    await turn();
    assert.equal(
      workers[0]?.calls.map(({ type }) => type),
      ["open", "open"],
    );
    explainer.close();
  });

  test("an aborted call ends at once, and the worker is told", async () => {
    const { workers, host } = fakeHost();
    const explainer = createExplainerFor(host);
    const controller = new AbortController();
    const call = failureOf(explainer.explain("a", { signal: controller.signal }));
    await turn();
    workers[0]?.answer({ type: "opened", id: 1, info });
    await turn();
    controller.abort();
    assert.instance(await call, AbortError);
    assert.equal(workers[0]?.calls.at(-1), { type: "abort", id: 2 });
    assert.instance(await failureOf(explainer.explain("b", { signal: controller.signal })), AbortError);
    assert.is(explainer.pending, 0);
    explainer.close();
  });

  test("more calls than maxPending are refused, not queued", async () => {
    const { host } = fakeHost();
    const explainer = createExplainerFor(host, 2);
    const calls = [explainer.explain("a"), explainer.explain("b")].map(failureOf);
    const error = await failureOf(explainer.explain("c"));
    assert.instance(error, BusyError);
    assert.is(
      error.message,
      "explainer: 2 calls are waiting, as many as maxPending allows. Wait for one to end, or leave this photo out.",
    );
    explainer.close();
    for (const ended of await Promise.all(calls)) assert.instance(ended, WorkerError);
  });
});
