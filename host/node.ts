export { type FileSource, fileSource } from "./file-source.ts";
export { sha256File } from "./sha256.ts";
