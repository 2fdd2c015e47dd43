import type { NodeDefinition, Stage } from "../graph/definition.ts";

/** Nodes in a row: each reads the one before it. */
export class Chain {
  readonly nodes: NodeDefinition[] = [];
  #last = "input";

  /** Name of the last node. */
  get last(): string {
    return this.#last;
  }

  /** Appends a node that reads the last one, or `inputs`. */
  add(name: string, stage: Stage, inputs: readonly string[] = [this.#last]): this {
    // Stage is NodeDefinition less exactly these two members.
    this.nodes.push({ ...stage, name, inputs } as NodeDefinition);
    this.#last = name;
    return this;
  }

  /** Appends a convolution (square kernel, equal pads) and its ReLU. */
  convolution(
    name: string,
    tensors: string,
    outChannels: number,
    kernel: number,
    {
      stride = 1,
      pad = 0,
      group = 1,
      bias = true,
      relu = true,
    }: { stride?: number; pad?: number; group?: number; bias?: boolean; relu?: boolean } = {},
  ): this {
    this.add(name, {
      op: "conv2d",
      outChannels,
      kernelShape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group,
      weight: `${tensors}.weight`,
      ...(bias ? { bias: `${tensors}.bias` } : {}),
    });
    return relu ? this.add(name.replace(/^conv/, "relu"), { op: "relu" }) : this;
  }

  /** Appends a batch norm as PyTorch has it. */
  batchNorm(name: string, tensors: string): this {
    return this.add(name, {
      op: "batchNorm",
      epsilon: 1e-5,
      scale: `${tensors}.weight`,
      bias: `${tensors}.bias`,
      mean: `${tensors}.running_mean`,
      variance: `${tensors}.running_var`,
    });
  }

  /** Appends a dense layer and, unless told otherwise, its ReLU and dropout. */
  dense(name: string, tensors: string, outFeatures: number, relu = true): this {
    this.add(name, { op: "dense", outFeatures, weight: `${tensors}.weight`, bias: `${tensors}.bias` });
    return relu
      ? this.add(name.replace(/^fc/, "relu"), { op: "relu" }).add(name.replace(/^fc/, "drop"), { op: "dropout" })
      : this;
  }

  /** Appends max pooling with a square window. */
  maxPool(name: string, kernel: number, stride: number, ceilMode = false): this {
    return this.add(name, { op: "maxPool2d", kernelShape: [kernel, kernel], strides: [stride, stride], ceilMode });
  }
}
