import type { NetworkDefinition } from "../../engine/graph/definition.ts";
import { alexnetMini } from "../../engine/models/mini.ts";

/** alexnet-mini, ten classes: its layers, how photos are prepared, its class names. What it is good at: models/alexnet-mini.md. */
export function definition(): NetworkDefinition {
  return alexnetMini();
}

/** Where its trained weights lie, in a form that bundlers know: they copy the file and put in its new address. */
export function weights(): URL {
  return new URL("../../../models/alexnet-mini.safetensors", import.meta.url);
}
