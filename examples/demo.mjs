// Explains the example photos: `npm run demo`. Uses SqueezeNet's trained weights where they lie beside this checkout, and says so
// where they do not: then the weights are seeded random numbers, and the maps show how things work, not what a network knows.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const path = (relative) => fileURLToPath(new URL(relative, root));

const trained = path("../shared/data/squeezenet1_0.safetensors");
let model = "squeezenet1_0";
let weights = trained;
if (!existsSync(trained)) {
  model = "squeezenet1_1";
  weights = path("build/demo-weights.safetensors");
  mkdirSync(path("build"), { recursive: true });
  const { writeSeededWeights } = await import("../build/test/support/seeded-weights.js");
  writeSeededWeights(weights, model, 1);
  console.log("No trained weights found: seeded random ones are used, so the classes below mean nothing.\n");
}
const args = [
  "explain",
  path("examples/coffee.jpg"),
  "--model",
  model,
  "--weights",
  weights,
  "--out",
  path("srmap-out"),
];
const { status } = spawnSync(process.execPath, [path("build/cli/main.js"), ...args], { stdio: "inherit" });
if (status === 0) console.log(`\nOpen ${path("srmap-out/panel.png")}`);
process.exitCode = status ?? 1;
