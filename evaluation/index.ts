export { spearman } from "./agreement/spearman.ts";
export { ssim } from "./agreement/ssim.ts";
export { topKIou } from "./agreement/top-k-iou.ts";
export { decodeRuns, parseCoco } from "./annotations/coco.ts";
export { type MaskClass, maskPhoto, parseMaskClasses } from "./annotations/masks.ts";
export {
  type AnnotatedObject,
  type AnnotatedPhoto,
  type Annotations,
  annotatedPhoto,
} from "./annotations/objects.ts";
export { type PlacedObjects, placeObjects } from "./annotations/place.ts";
export { type VocObject, vocPhoto } from "./annotations/voc.ts";
export { yoloPhoto } from "./annotations/yolo.ts";
export {
  type Attention,
  type AttentionOutcome,
  type AttentionThresholds,
  compareAttention,
} from "./attention/compare.ts";
export { type AttentionSummary, gridSide, shareOn, summarizeAttention } from "./attention/summary.ts";
export type { MapValues, Mask } from "./basics/check.ts";
export { seededRandom } from "./basics/random.ts";
export { effectiveComplexity } from "./complexity/effective-complexity.ts";
export { entropyComplexity } from "./complexity/entropy.ts";
export { giniSparseness } from "./complexity/gini.ts";
export { type BaselineKind, perturbationBaseline } from "./faithfulness/baseline.ts";
export { aopc, curveArea } from "./faithfulness/curve-area.ts";
export { noisyLinearImputation } from "./faithfulness/noisy-linear-imputation.ts";
export {
  type PerturbationCurve,
  type PerturbationOrder,
  perturbationCurve,
  perturbationOrder,
} from "./faithfulness/perturbation-curve.ts";
export { regionPerturbationCurve } from "./faithfulness/region-perturbation.ts";
export { roadCurve } from "./faithfulness/road.ts";
export { sensitivityN } from "./faithfulness/sensitivity-n.ts";
export { attributionLocalisation } from "./localisation/attribution-localisation.ts";
export { insideOutsideAuc } from "./localisation/auc.ts";
export { massAccuracy } from "./localisation/mass-accuracy.ts";
export { type Box, boxIou, boxIous, boxThresholds, maxBoxAcc } from "./localisation/max-box-acc.ts";
export { pointingGame } from "./localisation/pointing-game.ts";
export { rankAccuracy } from "./localisation/rank-accuracy.ts";
export { topKIntersection } from "./localisation/top-k-intersection.ts";
export { absoluteMap, positiveMap } from "./maps/absolute.ts";
export { centredGaussian, randomMap } from "./maps/baselines.ts";
export { type ActivationMapKind, activationMapKinds, classActivationMap } from "./maps/class-activation.ts";
export { enlargeMap } from "./maps/enlarge.ts";
export { gaussianBlur } from "./maps/gaussian-blur.ts";
export { integratedGradients } from "./maps/integrated-gradients.ts";
export { occlusionMap } from "./maps/occlusion.ts";
export { riseMap } from "./maps/rise.ts";
export { smoothGrad } from "./maps/smooth-grad.ts";
export { maxSensitivity } from "./sanity/max-sensitivity.ts";
export {
  parameterRandomisation,
  type RandomisationOrder,
  type RandomisationStep,
  randomisationSteps,
} from "./sanity/parameter-randomisation.ts";
export { randomLogit } from "./sanity/random-logit.ts";
export { shuffledParameters } from "./sanity/shuffle.ts";
export { bootstrapMean, type Interval } from "./statistics/bootstrap.ts";
export { signFlipTest } from "./statistics/sign-flip-test.ts";
