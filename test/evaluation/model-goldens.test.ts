import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Tensor, tensor } from "../../engine/basics/tensor.ts";
import {
  classActivationMap,
  curveArea,
  integratedGradients,
  maxSensitivity,
  noisyLinearImputation,
  occlusionMap,
  parameterRandomisation,
  perturbationCurve,
  randomLogit,
  regionPerturbationCurve,
  roadCurve,
  sensitivityN,
  smoothGrad,
} from "../../evaluation/index.ts";
import { root } from "../support/paths.ts";
import { suite } from "../support/suite.ts";

type List = readonly number[];

/** Written by test/reference/evaluation_model_goldens.py, which says what each model is. */
interface Goldens {
  readonly side: number;
  readonly perturbations: {
    readonly weights: readonly List[];
    readonly x: readonly List[];
    readonly a: readonly List[];
    readonly y: List;
    readonly pixelFlipping: readonly List[];
    readonly pixelFlippingAuc: List;
    readonly regions4: readonly List[];
    readonly regions5: readonly List[];
    readonly road: List;
    readonly sensitivityN: number;
    readonly picture: List;
    readonly missing: List;
    readonly imputed: List;
  };
  readonly randomisation: {
    readonly cascading: Randomised;
    readonly independent: Randomised;
    readonly randomLogit: {
      readonly map: List;
      readonly other: List;
      readonly flattened: number;
      readonly ssim: number;
    };
  };
  readonly sensitivities: {
    readonly weights: List;
    readonly x: List;
    readonly quantus: number;
    readonly captum: number;
  };
  readonly rivals: {
    readonly w: readonly List[];
    readonly v: List;
    readonly x: List;
    readonly integratedGradients: List;
    readonly occlusion4: List;
    readonly occlusion4by2: List;
    readonly occlusion5by3: List;
    readonly smoothGrad: List;
    readonly featureMap: List;
    readonly gradient: List;
    readonly cam: Readonly<Record<"gradcam" | "gradcam++" | "layercam", List>>;
  };
}

interface Randomised {
  readonly map: List;
  readonly layers: readonly string[];
  readonly maps: readonly List[];
  readonly spearman: List;
  readonly ssim: List;
}

const goldens = JSON.parse(readFileSync(join(root, "test/evaluation/model-goldens.json"), "utf8")) as Goldens;
const { side } = goldens;
const shape = [1, side, side];
const inputOf = (values: List): Tensor => tensor(shape, Float32Array.from(values));
const black = inputOf(new Array<number>(side * side).fill(0));

function near(got: number, expected: number | undefined, what: string, tolerance = 1e-6): void {
  assert.ok(Math.abs(got - (expected ?? Number.NaN)) <= tolerance, `${what}: got ${got}, expected ${expected}`);
}

function allNear(got: ArrayLike<number>, expected: List, what: string, tolerance = 1e-6): void {
  assert.is(got.length, expected.length, what);
  for (const [i, value] of expected.entries()) near(got[i]!, value, `${what} ${i}`, tolerance);
}

/** Softmax of the three linear scores. */
function probabilities({ data }: Tensor): number[] {
  const scores = goldens.perturbations.weights.map((row) =>
    row.reduce((sum, weight, i) => sum + Math.fround(weight) * data[i]!, 0),
  );
  const terms = scores.map(Math.exp);
  const sum = terms.reduce((total, term) => total + term, 0);
  return terms.map((term) => term / sum);
}

suite("evaluation/model-goldens", (test) => {
  const { x, a, y, ...expected } = goldens.perturbations;
  const photos = x.map((values, k) => {
    const index = y[k] ?? 0;
    const score = (input: Tensor): number => probabilities(input)[index] ?? Number.NaN;
    return { input: inputOf(values), map: Float64Array.from(a[k] ?? []), index, score };
  });

  test("deletion to black is Quantus's pixel flipping; its AUC leaves out the unchanged photo and counts steps", () => {
    for (const [k, { input, map, score }] of photos.entries()) {
      const curve = perturbationCurve(map, input, black, score, 12);
      allNear(curve.scores.slice(1), expected.pixelFlipping[k] ?? [], `photo ${k}`);
      const first = ((curve.scores[0] ?? 0) + (curve.scores[1] ?? 0)) / 2;
      near(curveArea(curve) * 12 - first, expected.pixelFlippingAuc[k], `AUC of photo ${k}`, 1e-5);
    }
  });

  test("region perturbation is Quantus's where the side divides the photo's, and other scores where it pads", () => {
    for (const [k, { input, map, score }] of photos.entries()) {
      const drops = (of: number): number[] => {
        const [whole = Number.NaN, ...scores] = regionPerturbationCurve(map, input, black, score, of, 9).scores;
        return scores.map((each) => whole - each);
      };
      allNear(drops(4), expected.regions4[k] ?? [], `photo ${k}`);
      // All nine regions of 5: the whole photo is black for both, on the way there the regions differ.
      const [ours, theirs] = [drops(5), expected.regions5[k] ?? []];
      near(ours.at(-1) ?? Number.NaN, theirs.at(-1), `end of photo ${k}`);
      assert.ok(ours.some((drop, i) => Math.abs(drop - (theirs[i] ?? 0)) > 1e-3));
    }
  });

  test("noisy linear imputation without noise is Quantus's, on two channels", () => {
    const picture = tensor([2, side, side], Float32Array.from(expected.picture));
    allNear(noisyLinearImputation(picture, expected.missing, 0).data, expected.imputed, "pixel");
  });

  test("ROAD with the noise of the same seed is Quantus's", () => {
    const hits = photos.map(({ input, map, index }) => {
      const isHit = (each: Tensor): number => {
        const found = probabilities(each);
        return Number(found.indexOf(Math.max(...found)) === index);
      };
      return roadCurve(map, input, isHit).scores;
    });
    const accuracy = hits[0]?.map((_, i) => hits.reduce((sum, each) => sum + (each[i] ?? 0), 0) / hits.length);
    assert.equal(accuracy, expected.road);
    assert.ok(new Set(expected.road).size > 2);
  });

  test("Quantus's sensitivity-n correlates over photos along the map's order, ours over random sets of one photo", () => {
    const steps = 12;
    const curves = photos.map(({ input, map, score }) => {
      const sorted = map.slice().sort().reverse();
      const sums = Array.from({ length: steps }, (_, i) =>
        sorted.slice(i * 12, (i + 1) * 12).reduce((sum, value) => sum + value, 0),
      );
      const [whole = Number.NaN, ...scores] = perturbationCurve(map, input, black, score, steps).scores;
      return { sums, drops: scores.map((each) => whole - each) };
    });
    const correlations = Array.from({ length: steps }, (_, i) => {
      const [sums, drops] = [curves.map((each) => each.sums[i] ?? 0), curves.map((each) => each.drops[i] ?? 0)];
      const mean = (values: List): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      const product = (p: List, q: List): number =>
        p.reduce((sum, value, k) => sum + (value - mean(p)) * ((q[k] ?? 0) - mean(q)), 0);
      return product(sums, drops) / Math.sqrt(product(sums, sums) * product(drops, drops));
    });
    near(correlations.reduce((sum, value) => sum + value, 0) / steps, expected.sensitivityN, "Quantus's", 1e-5);
    const ours = photos.map(({ input, map, score }) => sensitivityN(map, input, black, score, 12));
    for (const value of ours) assert.ok(Math.abs(value - expected.sensitivityN) > 0.05, `${value}`);
  });

  test("parameter randomisation is Quantus's MPRT by rank correlation; its SSIM is of maps flattened into a row", () => {
    for (const order of ["cascading", "independent"] as const) {
      const { map, layers, maps, spearman, ssim } = goldens.randomisation[order];
      const waiting = maps.map((each) => Float64Array.from(each));
      const steps = layers.map((layer) => [layer]);
      const found = parameterRandomisation(
        Float64Array.from(map),
        side,
        steps,
        () => waiting.shift() ?? new Float64Array(),
      );
      assert.equal(
        found.map(({ layer }) => layer),
        layers,
      );
      allNear(
        found.map(({ rankCorrelation }) => rankCorrelation),
        spearman,
        order,
      );
      for (const [i, step] of found.entries()) assert.ok(Math.abs(step.ssim - (ssim[i] ?? 0)) > 1e-3);
    }
  });

  test("random logit is scikit-image's SSIM of the two maps, Quantus's is of maps flattened into a row", () => {
    const { map, other, flattened, ssim } = goldens.randomisation.randomLogit;
    const found = randomLogit(Float64Array.from(map), side, 1, 3, () => Float64Array.from(other));
    near(found, ssim, "random logit");
    assert.ok(Math.abs(found - flattened) > 1e-3);
  });

  test("max-sensitivity with the noise of the same seed is Quantus's and captum's", () => {
    const { weights, x: values, quantus, captum } = goldens.sensitivities;
    const explain = ({ data }: Tensor): Float64Array =>
      Float64Array.from(data, (value, i) => Math.abs(value * (weights[i] ?? 0)) + value ** 2);
    const found = maxSensitivity(inputOf(values), explain, 0.2, 6);
    near(found, quantus, "Quantus");
    near(found, captum, "captum");
  });

  const { w, v, x: point, cam, ...rivals } = goldens.rivals;
  /** sum over j of v[j] softplus(w[j] . x). */
  const score = ({ data }: Tensor): number =>
    w.reduce((sum, row, j) => {
      const z = row.reduce((total, weight, i) => total + weight * data[i]!, 0);
      return sum + (v[j] ?? 0) * Math.log1p(Math.exp(z));
    }, 0);
  const gradient = (input: Tensor): Tensor => {
    const out = new Float32Array(side * side);
    for (const [j, row] of w.entries()) {
      const z = row.reduce((total, weight, i) => total + weight * input.data[i]!, 0);
      for (const [i, weight] of row.entries()) out[i]! += ((v[j] ?? 0) * weight) / (1 + Math.exp(-z));
    }
    return tensor(shape, out);
  };

  test("integrated gradients, occlusion and SmoothGrad are captum's", () => {
    const input = inputOf(point);
    allNear(integratedGradients(input, black, gradient, 20).data, rivals.integratedGradients, "IG");
    allNear(occlusionMap(input, black, score, 4, 4), rivals.occlusion4, "occlusion");
    allNear(occlusionMap(input, black, score, 4, 2), rivals.occlusion4by2, "occlusion, overlapping");
    allNear(smoothGrad(input, gradient, 5).data, rivals.smoothGrad, "SmoothGrad");
  });

  test("occlusion squares that do not fit end at the edge; captum cuts them, so that its last ones are smaller", () => {
    const ours = occlusionMap(inputOf(point), black, score, 5, 3);
    const differs = (i: number): boolean => Math.abs(ours[i]! - (rivals.occlusion5by3[i] ?? 0)) > 1e-6;
    // Squares begin at 0, 3, 6 and then 7 here, 9 there: pixels that only the first two reach agree.
    for (let y = 0; y < 6; y++) for (let px = 0; px < 6; px++) assert.not(differs(y * side + px), `${px}, ${y}`);
    assert.ok(differs(side * side - 1));
  });

  test("Grad-CAM, Grad-CAM++ and LayerCAM are pytorch-grad-cam's", () => {
    const featureMap = tensor([3, 4, 5], Float32Array.from(rivals.featureMap));
    const g = tensor([3, 4, 5], Float32Array.from(rivals.gradient));
    for (const kind of ["gradcam", "gradcam++", "layercam"] as const) {
      allNear(classActivationMap(kind, featureMap, g), cam[kind], kind);
    }
  });
});
