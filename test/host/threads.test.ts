import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { elementCount, tensor } from "../../engine/basics/tensor.ts";
import { instantiateKernels, type Kernels } from "../../engine/memory/kernels.ts";
import { Network } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { loadKernels } from "../../host/threads/load-kernels.ts";
import { startThreadPool } from "../../host/threads/pool.ts";
import type { ThreadPool } from "../../workers/threads/pool.ts";
import { networkCases } from "../cases/networks.ts";
import { fillValues } from "../cases/values.ts";
import { winogradNetwork } from "../cases/winograd.ts";
import { suite } from "../support/suite.ts";

const definitions = [winogradNetwork, ...networkCases.map(({ definition }) => definition)];

/** Logits and li2019 and epsilonPlus maps of every network, as bytes. */
function outputs(kernels: Kernels): Buffer[] {
  return definitions.map((definition) => {
    const network = new Network(kernels, definition);
    network.parameters.forEach(({ name, shape }, seed) => {
      const isVariance = name.includes("var");
      const values = fillValues(elementCount(shape), "uniform", seed);
      network.setRows(name, 0, isVariance ? values.map((v) => 1.5 + v) : values);
    });
    const { inputShape } = definition;
    const logits = network.forward(tensor(inputShape, fillValues(elementCount(inputShape), "uniform", 5))).data;
    const start = new Float32Array(logits.length);
    start[0] = 1;
    const maps = ["li2019", "epsilonPlus"].map(
      (name) => network.relevancePlan(compositeByName(name)).run(start).relevance.data,
    );
    return Buffer.concat([logits, ...maps].map((values) => new Uint8Array(values.slice().buffer)));
  });
}

function pool(threads: number, stallMs?: number): Promise<{ pool: ThreadPool; kernels: Kernels }> {
  const bytes = readFileSync(new URL("../../kernels-as/kernels-shared.wasm", import.meta.url));
  const module = new WebAssembly.Module(bytes);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
  return startThreadPool(threads, module, memory, stallMs).then((started) => ({
    pool: started,
    kernels: instantiateKernels(module, { memory, threads: started }),
  }));
}

suite("threads", (test) => {
  test("1, 2 and 3 threads give the same bytes, twice", async () => {
    const expected = outputs(await loadKernels());
    for (const threads of [2, 3]) {
      const kernels = await loadKernels({ threads });
      try {
        assert.is(kernels.threads, threads);
        for (const round of [1, 2]) {
          outputs(kernels).forEach((bytes, i) => {
            assert.ok(bytes.equals(expected[i]!), `${threads} threads, ${definitions[i]?.name}, round ${round}`);
          });
        }
      } finally {
        await kernels.close();
      }
    }
  });

  test("every element of a range is written once, for any length", async () => {
    const { pool: threads, kernels } = await pool(3);
    for (let length = 1; length < 40; length++) {
      const at = kernels.arena.allocate(4 * 48);
      kernels.arena.f32(at, 48).fill(0);
      kernels.arena.f32(at + 4 * 42, 1)[0] = 1;
      kernels.split("scaleAdd", length, at, at, 0);
      const one = kernels.arena.allocate(4 * 48);
      kernels.split("fill", length, one, 1);
      kernels.split("scaleAdd", length, at, one, 1);
      const got = kernels.arena.f32(at, 42);
      assert.is(
        got.reduce((a, b) => a + b, 0),
        length,
      );
      assert.ok(got.subarray(0, length).every((v) => v === 1));
    }
    await threads.close();
  });

  test("a kernel that fails in another thread is an error, and stays one", async () => {
    const { pool: threads, kernels } = await pool(2);
    // Two rows: this thread takes the first or the second; one of them lies beyond the memory.
    const beyond = 2 ** 30 / 4;
    assert.throws(() => kernels.split("sumRows", 2, 1024, 1024, beyond, 4), /RuntimeError|threads|memory access/);
    assert.throws(() => kernels.split("fill", 8, 1024, 0), /^threads: .*Load the kernels again, or use one thread\.$/);
    await threads.close();
  });

  test("a thread that was ended is an error, not a hang", async () => {
    const { pool: threads, kernels } = await pool(3, 500);
    await threads.kill(2);
    assert.throws(
      () => kernels.split("fill", 8, 1024, 0),
      (error: Error) => {
        const message = "threads: thread 2 ended (before or in fill). Load the kernels again, or use one thread.";
        assert.is(error.message, message);
        return true;
      },
    );
    await threads.close();
  });

  test("close is clean, may be repeated, and ends use", async () => {
    const kernels = await loadKernels({ threads: 2 });
    await kernels.close();
    await kernels.close();
    assert.throws(
      () => kernels.split("fill", 8, 1024, 0),
      (error: Error) => {
        assert.is(error.message, "threads: the pool is closed. Load the kernels again.");
        return true;
      },
    );
  });

  test("refuses a number that is none", async () => {
    for (const threads of [0, 1.5, 65, Number.NaN]) {
      let message = "";
      await loadKernels({ threads }).catch((error: Error) => {
        message = error.message;
      });
      assert.is(message, `threads must be an integer from 1 to 64, got ${threads}. Use at most one per core.`);
    }
  });
});
