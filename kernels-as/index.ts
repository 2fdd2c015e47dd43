// The export list is the ABI: what the engine calls, what tests call by itself, and winogradProduct, which only stays a function of its
// own, as it must for speed, where it is exported.
export { labPlanes } from "./salient/cielab";
export { conv2dForward, conv2dPack, conv2dPackTransposed, depthwiseConv2dForward } from "./layers/conv2d";
export { denseForward, denseInputGrad, denseInputGradBlock, denseInputGradTotal, densePack, densePackScratch, nonZeroIndices } from "./layers/dense";
export { flatConv2d, markAroundSamples, markSamples } from "./layers/flat-conv2d";
export { distanceColumns, distanceRows } from "./salient/distance-transform";
export { add, clamp, fill, leakyRelu, leakyReluGrad, multiply, ratio, rectify, scaleAdd, scaleSigned, square, sumRows } from "./common/elementwise";
export { cbrt, exp } from "./common/functions";
export { heapBase } from "./heap";
export { clearBorder, copyChannels, fromChannelFirst, toChannelFirst } from "./common/layout";
export { lrnForward, lrnRelevanceGather, lrnRelevanceShares } from "./layers/lrn";
export { narrowConv2dForward, narrowConv2dPackTransposed } from "./layers/narrow-conv2d";
export { meanNearest, meanNearestScratch } from "./salient/nearest";
export { boundBlocks, nearBlocks } from "./salient/nearest-boxes";
export { guessLimit } from "./salient/nearest-guess";
export { filterTile, keepBlocks, listHits, slackOf } from "./salient/nearest-tiles";
export { centreSample, channelProducts, squareCoefficients } from "./salient/patch-basis";
export { gatherPatches, projectPatches, saliencyOf } from "./salient/patches";
export { normaliseRows, rangeRows, sumPlanes, weakenRows } from "./salient/planes";
export { averagePool2dForward, averagePool2dInputGrad, maxPool2dForward, maxPool2dRoute, maxPool2dScatter } from "./layers/pool2d";
export { resamplePlanes } from "./salient/resample";
export { countAtMost, keepSmallest, kthSmallest, meanRoot } from "./salient/select";
export { softmax } from "./layers/softmax";
export { winogradConv2d, winogradProduct, winogradScratchBytes } from "./layers/winograd";
export { winogradPack } from "./layers/winograd-pack";
