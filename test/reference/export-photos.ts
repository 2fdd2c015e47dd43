// Writes the example photos as the SqueezeNet of the package gets them, as float32, one after the other, for make-references.py:
// node build/test/reference/export-photos.js photos.bin. Decoded here, so that decoders do not enter the comparison.
import { writeFileSync } from "node:fs";
import { loadNetwork } from "../../host/network/load.ts";
import { goldenPhotos, photoTensor } from "../support/squeezenet.ts";

const network = await loadNetwork("squeezenet1_1-caffe");
const tensors = goldenPhotos.map((path) => photoTensor(network, path).data);
writeFileSync(process.argv[2] ?? "photos.bin", Buffer.concat(tensors.map((each) => new Uint8Array(each.buffer))));
