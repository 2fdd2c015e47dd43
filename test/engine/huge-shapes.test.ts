import * as assert from "uvu/assert";
import type { NetworkDefinition, NodeDefinition } from "../../engine/graph/definition.ts";
import { compileGraph } from "../../engine/network/compile.ts";
import { networkParameters } from "../../engine/network/parameter-specs.ts";
import { bytesSource, importCaffe } from "../../weights-loader/index.ts";
import { networkCases } from "../cases/networks.ts";
import { fixtureBytes, rejection } from "../support/fixtures.ts";
import { cpuMs } from "../support/fuzz.ts";
import { rng } from "../support/rng.ts";
import { suite } from "../support/suite.ts";

// Sizes that a file merely claims are refused before anything is made of them: no seconds, no gigabytes.

const edges = [
  0,
  1,
  2,
  7,
  255,
  65535,
  1e6,
  2 ** 22,
  2 ** 24,
  2 ** 28,
  2 ** 31 - 1,
  2 ** 32,
  2 ** 40,
  1e15,
  2 ** 53 - 1,
  -1,
  0.5,
];

/** Every number in a definition, as a place to write to. */
function numbersIn(value: unknown): { holder: Record<string, unknown>; key: string }[] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) =>
    typeof holder[key] === "number" ? [{ holder, key }] : numbersIn(holder[key]),
  );
}

function one(node: Record<string, unknown>, inputShape: readonly number[]): NetworkDefinition {
  return {
    name: "net",
    inputShape,
    nodes: [{ name: "node", inputs: ["input"], ...node } as unknown as NodeDefinition],
    output: "node",
  };
}

suite("huge shapes", (test) => {
  for (const [what, definition, message] of [
    [
      "output channels",
      one({ op: "conv2d", outChannels: 2 ** 32, kernelShape: [1, 1], weight: "w" }, [3, 8, 8]),
      'ShapeError: conv2d "node": its output [4294967296,8,8] is larger than any that is held (2^28 elements, 2^22 of an axis). Correct the network definition.',
    ],
    [
      "rows of the input, of which take would list all",
      one({ op: "take", columns: [0] }, [1, 2 ** 28, 1]),
      'ShapeError: network "net": inputShape must be [C,H,W] with positive sizes, at most 2^28 values, 2^22 of an axis, got [1,268435456,1].',
    ],
    [
      "rows of take",
      one({ op: "take", rows: Array<number>(2 ** 22 + 1).fill(0) }, [1, 8, 8]),
      'ShapeError: take "node": its output [1,4194305,8] is larger than any that is held (2^28 elements, 2^22 of an axis). Correct the network definition.',
    ],
  ] as const) {
    test(`a definition with too many ${what} is refused`, async () => {
      assert.is(await rejection((async () => compileGraph(definition))()), message);
    });
  }

  for (const [what, layers, message] of [
    [
      "a convolution whose channels a slice would list",
      `layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 2000000000 kernel_size: 1 } }
       layer { name: "s" type: "Slice" bottom: "c" top: "a" top: "b" slice_param { slice_point: 1000000000 } }`,
      /"c" \(Convolution\): its output \[2000000000,8,8\] is larger than any that is held\./,
    ],
    [
      "a dense layer whose outputs a constant would fill",
      `layer { name: "f" type: "InnerProduct" bottom: "data" top: "f" inner_product_param { num_output: 2000000000 } }
       layer { name: "p" type: "Power" bottom: "f" top: "p" power_param { shift: 1 scale: 2 } }`,
      /"f" \(InnerProduct\): its output \[2000000000\] is larger than any that is held\./,
    ],
  ] as const) {
    test(`Caffe: ${what} is refused`, async () => {
      const prototxt = `input: "data" input_dim: [1, 3, 8, 8] ${layers}`;
      const source = bytesSource(fixtureBytes("caffe-v2.caffemodel"));
      const started = process.cpuUsage();
      assert.match(await rejection(importCaffe(source, { name: "net", prototxt })), message);
      assert.ok(cpuMs(started) < 500, `${cpuMs(started)} ms`);
    });
  }

  test("3000 definitions with extreme numbers are compiled or refused in no time", () => {
    const cases = Object.values(networkCases);
    for (let seed = 1; seed <= 3000; seed++) {
      const random = rng(seed);
      const definition = structuredClone(cases[seed % cases.length]?.definition as NetworkDefinition);
      const numbers = numbersIn({ inputShape: definition.inputShape, nodes: definition.nodes });
      for (let left = random.integer(1, 4); left > 0; left--) {
        const { holder, key } = numbers[random.integer(0, numbers.length - 1)] ?? { holder: {}, key: "" };
        holder[key] = edges[random.integer(0, edges.length - 1)];
      }
      const started = process.cpuUsage();
      const before = process.memoryUsage().arrayBuffers;
      try {
        compileGraph(definition);
        networkParameters(definition);
      } catch (error) {
        assert.ok(error instanceof Error && error.name === "ShapeError", `seed ${seed}: ${error}`);
      }
      assert.ok(cpuMs(started) < 500, `seed ${seed}: ${cpuMs(started)} ms`);
      assert.ok(process.memoryUsage().arrayBuffers - before < 64 << 20, `seed ${seed}`);
    }
  });
});
