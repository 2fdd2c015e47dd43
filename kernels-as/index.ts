// The export list is the ABI: what the engine calls, what tests call by itself, and winogradProduct, which only stays a function of its
// own, as it must for speed, where it is exported.
export { labPlanes } from "./cielab";
export { conv2dForward, conv2dPack, conv2dPackTransposed, depthwiseConv2dForward } from "./conv2d";
export { denseForward, denseInputGrad, denseInputGradBlock, denseInputGradTotal, densePack, densePackScratch, nonZeroIndices } from "./dense";
export { distanceColumns, distanceRows } from "./distance-transform";
export { add, clamp, fill, leakyRelu, leakyReluGrad, multiply, ratio, rectify, scaleAdd, scaleSigned, square, sumRows } from "./elementwise";
export { cbrt, exp } from "./functions";
export { heapBase } from "./heap";
export { clearBorder, copyChannels, fromChannelFirst, toChannelFirst } from "./layout";
export { lrnForward, lrnRelevanceGather, lrnRelevanceShares } from "./lrn";
export { narrowConv2dForward, narrowConv2dPackTransposed } from "./narrow-conv2d";
export { meanNearest, meanNearestScratch } from "./nearest";
export { boundBlocks, nearBlocks } from "./nearest-boxes";
export { guessLimit } from "./nearest-guess";
export { filterTile, keepBlocks, listHits, slackOf } from "./nearest-tiles";
export { centreSample, channelProducts, squareCoefficients } from "./patch-basis";
export { gatherPatches, projectPatches, saliencyOf } from "./patches";
export { normaliseRows, rangeRows, sumPlanes, weakenRows } from "./planes";
export { averagePool2dForward, averagePool2dInputGrad, maxPool2dForward, maxPool2dRoute, maxPool2dScatter } from "./pool2d";
export { resamplePlanes } from "./resample";
export { countAtMost, keepSmallest, kthSmallest, meanRoot } from "./select";
export { softmax } from "./softmax";
export { winogradConv2d, winogradProduct, winogradScratchBytes } from "./winograd";
export { winogradPack } from "./winograd-pack";
