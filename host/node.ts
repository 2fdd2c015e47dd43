export { FetchError, type FetchedWeights, type FetchOptions, fetchModel, fetchWeights } from "./fetch-model.ts";
export { type FileSource, fileSource } from "./file-source.ts";
export { decodeImage, defaultImageLimits, type ImageLimits } from "./image.ts";
export { loadKernels } from "./kernels.ts";
export { knownNetworks, type LoadOptions, loadNetwork } from "./load-network.ts";
export { cachedWeights, cacheFolder } from "./model-cache.ts";
export { readImage } from "./read-photo.ts";
export { sha256File } from "./sha256.ts";
export { version } from "./version.ts";
