import { type Shape, sameShape } from "../../engine/basics/tensor.ts";
import type { NetworkDefinition } from "../../engine/graph/definition.ts";

/** What the caller says of a network's input. */
export interface InputShapeOptions {
  /** [C,H,W]: height and width to run the network at; channels where the file leaves them open. */
  readonly inputShape?: Shape;
  /** [C,H,W] that counts where neither the file nor `inputShape` says it: what the caller's own input happens to have. */
  readonly inputShapeIfOpen?: Shape;
}

/**
 * A network's input as far as it is known: [C,H,W], with undefined for what nobody says; undefined where nobody says anything.
 * @param stated the file's own words, channels first
 */
export function chosenInputShape(
  stated: readonly (number | undefined)[] | undefined,
  { inputShape, inputShapeIfOpen }: InputShapeOptions,
): readonly (number | undefined)[] | undefined {
  if (stated === undefined) return inputShape ?? inputShapeIfOpen;
  if (inputShape !== undefined && inputShape.length !== stated.length) return inputShape;
  const open = inputShapeIfOpen?.length === stated.length ? inputShapeIfOpen : undefined;
  return stated.map(
    (size, axis) => (axis === 0 ? undefined : inputShape?.[axis]) ?? size ?? inputShape?.[axis] ?? open?.[axis],
  );
}

/** The end of a message about an input whose size nobody says. */
export const inputSizeAdvice = "Give its height and width (--input-size HxW).";

/** A network whose definition is there, at another height and width than its own. */
export function atSize(definition: NetworkDefinition, { inputShape }: InputShapeOptions): NetworkDefinition {
  if (inputShape?.length !== 3) return definition;
  const [channels = 0] = definition.inputShape;
  const shape = [channels, ...inputShape.slice(1)];
  return sameShape(shape, definition.inputShape) ? definition : { ...definition, inputShape: shape };
}
