import * as assert from "uvu/assert";
import { elementCount, tensor } from "../../engine/basics/tensor.ts";
import { type Algorithm, winogradTile } from "../../engine/layers/linear/winograd.ts";
import { Network } from "../../engine/network/network.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { fillValues } from "../cases/values.ts";
import { winogradNetwork } from "../cases/winograd.ts";
import { assertClose } from "../support/close.ts";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

function build(algorithm: Algorithm): Network {
  const network = new Network(testKernels(), winogradNetwork, { algorithm });
  network.parameters.forEach(({ name, shape }, seed) => {
    const fanIn = Math.max(1, elementCount(shape.slice(1)));
    const values = fillValues(elementCount(shape), "uniform", seed);
    network.setRows(name, 0, shape.length === 1 ? values : values.map((v) => v * Math.sqrt(6 / fanIn)));
  });
  return network;
}

suite("convolution algorithms", (test) => {
  test("the table: plain 3x3 of full lanes, 4 for images over 12 pixels, else 2; plain 5x5", () => {
    const size = (height: number, inPerGroup = 16, kernel = 3, stride = 1) => ({
      window: {
        kernelShape: [kernel, kernel],
        strides: [stride, stride],
        pads: [1, 1, 1, 1],
        ceilMode: false,
        dilations: [1, 1],
      } as const,
      inPerGroup,
      outPerGroup: 16,
      height,
      width: height,
    });
    assert.is(winogradTile(size(13)), 4);
    assert.is(winogradTile(size(12)), 2);
    assert.is(winogradTile(size(3)), 0);
    assert.is(winogradTile(size(17, 12)), 0);
    assert.is(winogradTile(size(17, 8)), 0);
    assert.is(winogradTile(size(17, 16, 5)), 2);
    assert.is(winogradTile(size(17, 16, 7)), 0);
    assert.is(winogradTile(size(17, 16, 5, 2)), 0);
    assert.is(winogradTile(size(17, 16, 3, 2)), 0);
  });

  test("transformed weights share memory at first, are kept from the third use on, and give the same bytes", () => {
    const network = build("auto");
    const { arena } = network.kernels;
    const input = tensor([16, 21, 23], fillValues(16 * 21 * 23, "uniform", 99));
    const used: number[] = [];
    const results = [1, 2, 3, 4].map(() => {
      const logits = network.forward(input).data;
      const { relevance } = network.relevancePlan(compositeByName("epsilonPlus")).run(logits);
      used.push(arena.usedBytes);
      return { logits, relevance: relevance.data };
    });
    for (const result of results) assert.equal(result, results[0]);
    assert.is(used[1], used[0], "the second run reserves nothing");
    assert.ok(used[2]! > used[1]!, "the third run keeps them");
    assert.is(used[3], used[2], "the fourth run reserves nothing");
  });

  test("auto and direct agree: logits and relevance of every composite", () => {
    const [auto, direct] = [build("auto"), build("direct")];
    const image = tensor(
      winogradNetwork.inputShape,
      fillValues(elementCount(winogradNetwork.inputShape), "uniform", 99),
    );
    const expected = direct.forward(image);
    const largest = (values: Float32Array): number => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    // Five layers deep, each within 1e-6 of the size of its outputs (docs/performance.md, table of errors).
    assertClose(auto.forward(image).data, expected.data, 4e-6 * largest(expected.data), "logits");
    const start = new Float32Array(7);
    start[2] = 1;
    for (const name of ["li2019", "li2019Overwrite", "epsilonPlus"]) {
      const composite = compositeByName(name);
      const map = direct.relevancePlan(composite).run(start).relevance.data;
      const got = auto.relevancePlan(composite).run(start).relevance.data;
      assertClose(got, map, 2e-5 * largest(map), name);
    }
  });
});
