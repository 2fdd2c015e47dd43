import { ShapeError } from "../basics/errors.ts";
import { formatShape, type Shape, sameShape, type Tensor, tensor } from "../basics/tensor.ts";
import type { NetworkDefinition } from "../graph/definition.ts";

const withoutOnes = (shape: Shape): Shape => shape.filter((size) => size !== 1);

/** [H,W,C] as [C,H,W]. */
function channelsFirst({ shape: [height = 1, width = 1, channels = 1], data }: Tensor): Tensor {
  const area = height * width;
  const result = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) result[(i % channels) * area + Math.floor(i / channels)] = data[i]!;
  return tensor([channels, height, width], result);
}

/**
 * A tensor in the network's input shape: axes of size 1 do not count ([1,C,H,W]; [C,L] for a signal's [C,1,L]), and where the network's
 * file takes [H,W,C] that order does too.
 * @throws ShapeError for another shape
 */
export function inputTensor({ name, inputShape, takesChannelsLast }: NetworkDefinition, input: Tensor): Tensor {
  if (sameShape(withoutOnes(input.shape), withoutOnes(inputShape))) return tensor(inputShape, input.data);
  const [channels = 1, height = 1, width = 1] = inputShape;
  const last = [height, width, channels];
  if (takesChannelsLast === true && sameShape(withoutOnes(input.shape), withoutOnes(last)))
    return channelsFirst(tensor(last, input.data));
  throw new ShapeError(
    `network "${name}": input must be ${formatShape(inputShape)}, got ${formatShape(input.shape)}. Preprocess the photo first.`,
  );
}
