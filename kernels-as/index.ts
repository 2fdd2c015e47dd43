// The export list is the ABI: everything that the engine can call, and nothing else.
export { conv2dForward, conv2dPack, conv2dPackTransposed, depthwiseConv2dForward } from "./conv2d";
export { denseForward, denseInputGrad, denseInputGradBlock, denseInputGradTotal, densePack, nonZeroIndices } from "./dense";
export { add, clamp, fill, leakyRelu, leakyReluGrad, multiply, ratio, rectify, scaleAdd, scaleSigned, square, sumRows } from "./elementwise";
export { cbrt, exp } from "./functions";
export { heapBase } from "./heap";
export { addChannels, clearBorder, copyChannels, fromChannelFirst, toChannelFirst } from "./layout";
export { lrnForward, lrnRelevanceGather, lrnRelevanceShares } from "./lrn";
export { narrowConv2dForward, narrowConv2dPackTransposed } from "./narrow-conv2d";
export { appendNear, meanNearest, meanNearestScratch } from "./nearest";
export { boundBlocks, nearBlocks } from "./nearest-boxes";
export { filterTile, guessLimit, keepBlocks, listHits } from "./nearest-tiles";
export { gatherPatches, projectPatches } from "./patches";
export { averagePool2dForward, averagePool2dInputGrad, maxPool2dForward, maxPool2dScatter } from "./pool2d";
export { resamplePlane } from "./resample";
export { countAtMost, keepSmallest, kthSmallest, meanRoot } from "./select";
export { softmax } from "./softmax";
export { winogradConv2d, winogradProduct, winogradScratchBytes } from "./winograd";
export { winogradPack } from "./winograd-pack";
