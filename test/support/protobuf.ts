/** One field of a protobuf message: its number and its value (varint, 4 or 8 raw bytes, or a byte string). */
export interface ProtobufField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** Splits a protobuf message into its fields, in order. Nested messages stay byte strings. For trusted test data only. */
export function protobufFields(bytes: Uint8Array): ProtobufField[] {
  const fields: ProtobufField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error("protobuf message ends inside a number");
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error("protobuf message ends inside a field");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const wireType = key & 7;
    const number = key >> 3;
    if (wireType === 0) fields.push({ number, value: varint() });
    else if (wireType === 1) fields.push({ number, value: take(8) });
    else if (wireType === 2) fields.push({ number, value: take(Number(varint())) });
    else if (wireType === 5) fields.push({ number, value: take(4) });
    else throw new Error(`protobuf wire type ${wireType} is not expected here`);
  }
  return fields;
}

/** The message that fields make: the other way round. */
export function protobufBytes(fields: readonly ProtobufField[]): Uint8Array {
  const bytes: number[] = [];
  const varint = (value: bigint): void => {
    let left = value;
    for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
    bytes.push(Number(left));
  };
  for (const { number, value } of fields) {
    if (typeof value === "bigint") {
      varint(BigInt(number << 3));
      varint(value);
    } else {
      // Numbers of 4 bytes are told from text by nothing here: fields that are kept come from `protobufFields` of nested messages.
      varint(BigInt((number << 3) | 2));
      varint(BigInt(value.length));
      for (const byte of value) bytes.push(byte);
    }
  }
  return Uint8Array.from(bytes);
}
