import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import * as assert from "uvu/assert";
import { torchvisionPreprocessing } from "../../engine/models/preprocessing.ts";
import { compositeByName } from "../../engine/rules/composites.ts";
import { loadNetwork } from "../../host/network/load.ts";
import { assertClose, correlation, relativeL2 } from "../support/close.ts";
import { readNpyFloats } from "../support/npy.ts";
import { sharedReference } from "../support/paths.ts";
import { readGolden, readManifest } from "../support/reference-maps.ts";
import {
  goldenPhotos,
  photoTensor,
  realSqueezenet,
  squeezenetWeights,
  validationPhotos,
} from "../support/squeezenet.ts";
import { suite } from "../support/suite.ts";

interface Manifest {
  readonly photos: Record<string, { sha256OfTensor: string; target: number; sums: Record<string, number> }>;
}

const photosOfMaps = `${sharedReference}salient-relevance/`;
const haveWeights = existsSync(squeezenetWeights);

suite("SqueezeNet with real weights", (test) => {
  test.needs(
    haveWeights ? validationPhotos : squeezenetWeights,
    "top-1 135 and top-5 202 of 250 photos, as PyTorch",
    async () => {
      const network = await realSqueezenet();
      const labels: Record<string, { index: number }> = JSON.parse(
        readFileSync(`${validationPhotos}labels.json`, "utf8"),
      );
      let first = 0;
      let five = 0;
      for (const [name, { index }] of Object.entries(labels)) {
        const logits = network.forward(photoTensor(network, validationPhotos + name)).data;
        const better = logits.filter((logit) => logit > logits[index]!).length;
        if (better === 0) first++;
        if (better < 5) five++;
      }
      assert.equal([first, five], [135, 202]);
    },
  );

  for (const path of goldenPhotos) {
    const name = basename(path);
    test(`the SqueezeNet of the package on ${name}: PyTorch's logits and gradient times input, zennit's epsilonPlus`, async () => {
      const network = await loadNetwork("squeezenet1_1-caffe");
      const samples = readGolden("squeezenet/samples.safetensors");
      const facts = readManifest<Manifest>("squeezenet").photos[name]!;
      const input = photoTensor(network, path);
      const hash = createHash("sha256").update(new Uint8Array(input.data.buffer)).digest("hex");
      assert.is(hash, facts.sha256OfTensor, "another tensor than the reference was made from");
      const logits = network.forward(input).data;
      const largest = Math.max(...logits);
      assert.is(logits.indexOf(largest), facts.target);
      assertClose(logits, samples.get(`${name} | logits`)!.data, 1e-5 * largest, "logits");
      const start = logits.map((logit, i) => (i === facts.target ? logit : 0));
      for (const [composite, sum] of Object.entries(facts.sums)) {
        const map = network.relevancePlan(compositeByName(composite)).run(start).relevance.data;
        const golden = samples.get(`${name} | ${composite}`)!.data;
        const picked = golden.map((_, k) => map[(k * 7919) % map.length]!);
        // Rounding flips some winners of the three poolings, each of which moves relevance by a few pixels. Measured: 2.5e-4 at most.
        assert.ok(relativeL2(picked, golden) <= 1e-3, `${composite}: relative L2 ${relativeL2(picked, golden)}`);
        const total = map.reduce((all, each) => all + each, 0);
        assertClose([total], [sum], 1e-4 * (Math.abs(sum) + largest), `${composite}: sum`);
      }
    });
  }

  test.needs(haveWeights ? photosOfMaps : squeezenetWeights, "the whole maps of another implementation", async () => {
    // Those maps are the gradient times the pixel less the mean 123, 117, 104 that SqueezeNet's authors trained with, of their
    // graph, whose last convolution is padded. So the gradient is taken here and multiplied in those units.
    const network = await realSqueezenet(1);
    const { mean, std } = torchvisionPreprocessing;
    for (const photo of ["n02129604_tiger", "n11939491_daisy"]) {
      const input = photoTensor(network, `${photosOfMaps}${photo}_224.png`);
      const logits = network.forward(input).data;
      const start = logits.map((logit) => (logit === Math.max(...logits) ? 1 : 0));
      const gradient = network.relevancePlan(compositeByName("gradient")).run(start).relevance.data;
      const map = gradient.map((value, i) => {
        const c = Math.floor(i / 50176);
        const pixel = 255 * (input.data[i]! * std[c]! + mean[c]!);
        return (value / (255 * std[c]!)) * (pixel - [123, 117, 104][c]!);
      });
      const stored = readNpyFloats(`${photosOfMaps}${photo}_R_lrp0.npy`); // [H,W,C]
      const expected = map.map((_, i) => stored[(i % 50176) * 3 + Math.floor(i / 50176)]!);
      // Both are float32: a few winners of the overlapping poolings differ (measured 2.3e-4 and 6.5e-3).
      assert.ok(relativeL2(map, expected) <= 1e-2, `${photo}: relative L2 ${relativeL2(map, expected)}`);
      assert.ok(correlation(map, expected) >= 0.9999, `${photo}: correlation ${correlation(map, expected)}`);
    }
  });
});
