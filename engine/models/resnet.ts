import type { NetworkDefinition } from "../graph/definition.ts";
import { Chain } from "./chain.ts";
import { torchvisionPreprocessing } from "./preprocessing.ts";

/** A residual block's kind: two 3x3 convolutions, or 1x1, 3x3 and 1x1 around a narrow middle, four times as wide outside. */
type Block = "basic" | "bottleneck";

/** A block as torchvision names its tensors: `layer2.0.conv1`, `layer2.0.bn1`, `layer2.0.downsample.0`. */
function residual(chain: Chain, block: Block, name: string, channels: number, stride: number, isFirst: boolean): void {
  const start = chain.last;
  const step = (index: number, outChannels: number, kernel: number, ofStride: number): void => {
    const [conv, norm] = [`${name}.conv${index}`, `${name}.bn${index}`];
    const pad = (kernel - 1) / 2;
    chain.convolution(conv, conv, outChannels, kernel, { stride: ofStride, pad, bias: false, relu: false });
    chain.batchNorm(norm, norm);
  };
  const relu = (index: number): Chain => chain.add(`${name}.relu${index}`, { op: "relu" });
  const outChannels = block === "basic" ? channels : 4 * channels;
  if (block === "basic") {
    step(1, channels, 3, stride);
    relu(1);
    step(2, channels, 3, 1);
  } else {
    step(1, channels, 1, 1);
    relu(1);
    step(2, channels, 3, stride); // torchvision strides here, the paper in the first (its "V1.5")
    relu(2);
    step(3, outChannels, 1, 1);
  }
  const end = chain.last;
  let shortcut = start;
  if (isFirst && (stride > 1 || block === "bottleneck")) {
    const around = `${name}.downsample`;
    chain.add(
      `${around}.0`,
      {
        op: "conv2d",
        outChannels,
        kernelShape: [1, 1],
        strides: [stride, stride],
        weight: `${around}.0.weight`,
      },
      [start],
    );
    shortcut = chain.batchNorm(`${around}.1`, `${around}.1`).last;
  }
  chain.add(`${name}.add`, { op: "add" }, [end, shortcut]).add(`${name}.relu`, { op: "relu" });
}

function resnet(name: string, block: Block, counts: readonly [number, number, number, number]): NetworkDefinition {
  const chain = new Chain()
    .convolution("conv1", "conv1", 64, 7, { stride: 2, pad: 3, bias: false, relu: false })
    .batchNorm("bn1", "bn1")
    .add("relu", { op: "relu" })
    .add("maxpool", { op: "maxPool2d", kernelShape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  counts.forEach((count, stage) => {
    for (let i = 0; i < count; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1;
      residual(chain, block, `layer${stage + 1}.${i}`, 64 * 2 ** stage, stride, i === 0);
    }
  });
  chain
    .add("avgpool", { op: "globalAveragePool2d" })
    .add("flatten", { op: "flatten" })
    .dense("fc", "fc", 1000, false)
    .add("prob", { op: "softmax" });
  return {
    name,
    inputShape: [3, 224, 224],
    nodes: chain.nodes,
    output: "prob",
    preprocessing: torchvisionPreprocessing,
  };
}

/** ResNet-18 (He et al. 2016), torchvision's tensor names. */
export function resnet18(): NetworkDefinition {
  return resnet("resnet18", "basic", [2, 2, 2, 2]);
}

/** ResNet-34, torchvision's tensor names. */
export function resnet34(): NetworkDefinition {
  return resnet("resnet34", "basic", [3, 4, 6, 3]);
}

/** ResNet-50, torchvision's tensor names. */
export function resnet50(): NetworkDefinition {
  return resnet("resnet50", "bottleneck", [3, 4, 6, 3]);
}
