// Writes the example photos as the networks in the package get them. Usage: node test/reference/export-mini-inputs.mjs DIR
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { modelByName } from "../../build/engine/models/index.js";
import { preprocess } from "../../build/engine/picture/preprocess.js";
import { decodeImage } from "../../build/host/photos/decode.js";
import { writeNpy } from "../../build/weights-loader/numpy/npy.js";

const [folder = "."] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const { preprocessing, inputShape } = modelByName("alexnet-mini");
for (const name of ["cat", "coffee"]) {
  const photo = decodeImage(readFileSync(new URL(`../../examples/${name}.jpg`, import.meta.url)));
  writeFileSync(`${folder}/${name}.npy`, writeNpy(preprocess(photo, preprocessing, inputShape).tensor));
}
