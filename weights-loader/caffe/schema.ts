// The part of caffe.proto that describes networks: field numbers, names and types. Source: BVLC/caffe, src/caffe/proto/caffe.proto.

/** How a field is stored: integers and enums as varints, floats, text, a message of the named type, or data left in the file. */
export type CaffeFieldType = "int" | "float" | "text" | "blob" | { readonly message: CaffeMessageName };

/** A field's name and type. */
export interface CaffeField {
  readonly name: string;
  readonly type: CaffeFieldType;
}

/** The messages that are read. */
export type CaffeMessageName =
  | "net"
  | "layer"
  | "layerV1"
  | "blobShape"
  | "stateRule"
  | "transform"
  | "concat"
  | "convolution"
  | "eltwise"
  | "innerProduct"
  | "lrn"
  | "pooling"
  | "relu"
  | "softmax"
  | "batchNorm"
  | "scale"
  | "input"
  | "flatten"
  | "power"
  | "elu"
  | "swish"
  | "clip"
  | "slice"
  | "reshape"
  | "bias";

/** Field number -> `name` (an integer), or `name:type`; messages start in capitals in Caffe and are named as above here. */
const source: Readonly<Record<CaffeMessageName, string>> = {
  net: "1 name:text, 2 layers:layerV1, 3 input:text, 4 input_dim, 8 input_shape:blobShape, 100 layer:layer",
  layer:
    "1 name:text, 2 type:text, 3 bottom:text, 4 top:text, 7 blobs:blob, 8 include:stateRule, 9 exclude:stateRule, 100 transform_param:transform, 104 concat_param:concat, 106 convolution_param:convolution, 110 eltwise_param:eltwise, 117 inner_product_param:innerProduct, 118 lrn_param:lrn, 121 pooling_param:pooling, 123 relu_param:relu, 125 softmax_param:softmax, 135 flatten_param:flatten, 139 batch_norm_param:batchNorm, 142 scale_param:scale, 143 input_param:input, 122 power_param:power, 126 slice_param:slice, 133 reshape_param:reshape, 140 elu_param:elu, 141 bias_param:bias, 147 swish_param:swish, 148 clip_param:clip, 5 loss_weight:float",
  layerV1:
    "2 bottom:text, 3 top:text, 4 name:text, 5 type, 6 blobs:blob, 32 include:stateRule, 33 exclude:stateRule, 9 concat_param:concat, 10 convolution_param:convolution, 24 eltwise_param:eltwise, 17 inner_product_param:innerProduct, 18 lrn_param:lrn, 19 pooling_param:pooling, 30 relu_param:relu, 36 transform_param:transform, 39 softmax_param:softmax, 21 power_param:power, 31 slice_param:slice, 35 loss_weight:float",
  blobShape: "1 dim",
  stateRule: "1 phase, 2 min_level, 3 max_level, 4 stage:text, 5 not_stage:text",
  transform: "1 scale:float, 3 crop_size, 4 mean_file:text, 5 mean_value:float",
  concat: "1 concat_dim, 2 axis",
  convolution:
    "1 num_output, 2 bias_term, 3 pad, 4 kernel_size, 5 group, 6 stride, 9 pad_h, 10 pad_w, 11 kernel_h, 12 kernel_w, 13 stride_h, 14 stride_w, 16 axis, 18 dilation",
  eltwise: "1 operation, 2 coeff:float",
  innerProduct: "1 num_output, 2 bias_term, 5 axis, 6 transpose",
  lrn: "1 local_size, 2 alpha:float, 3 beta:float, 4 norm_region, 5 k:float",
  pooling:
    "1 pool, 2 kernel_size, 3 stride, 4 pad, 5 kernel_h, 6 kernel_w, 7 stride_h, 8 stride_w, 9 pad_h, 10 pad_w, 12 global_pooling, 13 round_mode",
  relu: "1 negative_slope:float",
  softmax: "2 axis",
  batchNorm: "3 eps:float",
  scale: "1 axis, 2 num_axes, 4 bias_term",
  input: "1 shape:blobShape",
  flatten: "1 axis, 2 end_axis",
  power: "1 power:float, 2 scale:float, 3 shift:float",
  elu: "1 alpha:float",
  swish: "1 beta:float",
  clip: "1 min:float, 2 max:float",
  slice: "1 slice_dim, 2 slice_point, 3 axis",
  reshape: "1 shape:blobShape, 2 axis, 3 num_axes",
  bias: "1 axis, 2 num_axes",
};

/** The fields of a message by number. */
export function caffeFields(message: CaffeMessageName): ReadonlyMap<number, CaffeField> {
  return new Map(
    source[message].split(", ").map((entry) => {
      const [number = "", description = ""] = entry.split(" ");
      const [name = "", type = "int"] = description.split(":");
      const isPlain = type === "int" || type === "float" || type === "text" || type === "blob";
      return [Number(number), { name, type: isPlain ? type : { message: type as CaffeMessageName } }]; // the table's own words
    }),
  );
}

/** V1LayerParameter.LayerType by number, in V2's words; only types with a meaning here. */
export const v1LayerTypes: Readonly<Record<string, string>> = {
  1: "Accuracy",
  3: "Concat",
  4: "Convolution",
  2: "BNLL",
  5: "Data",
  6: "Dropout",
  8: "Flatten",
  12: "ImageData",
  14: "InnerProduct",
  15: "LRN",
  17: "Pooling",
  18: "ReLU",
  19: "Sigmoid",
  20: "Softmax",
  21: "SoftmaxWithLoss",
  22: "Split",
  23: "TanH",
  25: "Eltwise",
  29: "MemoryData",
  9: "EuclideanLoss",
  26: "Power",
  27: "SigmoidCrossEntropyLoss",
  30: "ArgMax",
  33: "Slice",
  35: "AbsVal",
  36: "Silence",
  ABSVAL: "AbsVal",
  ACCURACY: "Accuracy",
  ARGMAX: "ArgMax",
  BNLL: "BNLL",
  CONCAT: "Concat",
  CONVOLUTION: "Convolution",
  DATA: "Data",
  DROPOUT: "Dropout",
  FLATTEN: "Flatten",
  IMAGE_DATA: "ImageData",
  INNER_PRODUCT: "InnerProduct",
  LRN: "LRN",
  POOLING: "Pooling",
  POWER: "Power",
  RELU: "ReLU",
  SIGMOID: "Sigmoid",
  SIGMOID_CROSS_ENTROPY_LOSS: "SigmoidCrossEntropyLoss",
  SLICE: "Slice",
  SOFTMAX: "Softmax",
  SOFTMAX_LOSS: "SoftmaxWithLoss",
  SPLIT: "Split",
  TANH: "TanH",
  ELTWISE: "Eltwise",
  MEMORY_DATA: "MemoryData",
  SILENCE: "Silence",
};
