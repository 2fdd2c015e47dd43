// Writes the preprocessed photos of the SqueezeNet reference as float32, one after the other, for make-references.py:
// node build/test/reference/export-photos.js photos.bin. Decoded here, so that decoders do not enter the comparison.
import { writeFileSync } from "node:fs";
import { goldenPhotos, photoTensor, realSqueezenet, validationPhotos } from "../support/squeezenet.ts";

const network = await realSqueezenet();
const tensors = goldenPhotos.map((name) => photoTensor(network, validationPhotos + name).data);
writeFileSync(process.argv[2] ?? "photos.bin", Buffer.concat(tensors.map((each) => new Uint8Array(each.buffer))));
