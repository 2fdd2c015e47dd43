import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { vggMini } from "../../engine/models/mini.ts";

/** vgg-mini, ten classes: its layers, how photos are prepared, its class names. What it is good at: models/vgg-mini.md. */
export function definition(): NetworkDefinition {
  return vggMini();
}

/** Where its trained weights lie, in a form that bundlers know: they copy the file and put in its new address. */
export function weights(): URL {
  return new URL("../../../models/vgg-mini.safetensors", import.meta.url);
}
