import type { ProtoRange, ProtoReader } from "../containers/protobuf.ts";

/** A graph input or output; sizes that the file leaves open are undefined. */
export interface OnnxValue {
  readonly name: string;
  /** TensorProto.DataType; 0 when the file does not say. */
  readonly elementType: number;
  readonly shape: readonly (number | undefined)[] | undefined;
}

/** Reads a ValueInfoProto. */
export async function readValue(reader: ProtoReader, range: ProtoRange): Promise<OnnxValue> {
  let name: ProtoRange = { offset: 0, length: 0 };
  let place: ProtoRange | undefined;
  await reader.fields(range, (field) => {
    if (field.number === 1) name = field;
    if (field.number === 2) place = field;
  });
  // ValueInfoProto.type 2 -> TypeProto.tensor_type 1 -> Tensor.shape 2 -> dim 1
  let elementType = 0;
  for (const number of [1, 2]) {
    const outer: ProtoRange | undefined = place;
    place = undefined;
    if (outer !== undefined) {
      await reader.fields(outer, (field) => {
        if (field.number === number && field.wire === 2) place = field;
        if (number === 2 && field.number === 1) elementType = field.value; // Tensor.elem_type
      });
    }
  }
  if (place === undefined) return { name: await reader.text(name), elementType, shape: undefined };
  const sizes: ProtoRange[] = [];
  await reader.fields(place, (field) => {
    if (field.number === 1 && field.wire === 2) sizes.push(field);
  });
  const shape: (number | undefined)[] = [];
  for (const size of sizes) {
    let value: number | undefined;
    await reader.fields(size, (field) => {
      if (field.number === 1 && field.value > 0) value = field.value;
    });
    shape.push(value);
  }
  return { name: await reader.text(name), elementType, shape };
}
