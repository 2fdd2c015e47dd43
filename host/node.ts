export { type FileSource, fileSource } from "./file-source.ts";
export { decodeImage, defaultImageLimits, type ImageLimits } from "./image.ts";
export { loadKernels } from "./kernels.ts";
export { sha256File } from "./sha256.ts";
export { version } from "./version.ts";
