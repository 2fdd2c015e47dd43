import * as assert from "uvu/assert";
import { bytesSource } from "../../weights-loader/bytes/source.ts";
import { ProtoReader } from "../../weights-loader/containers/protobuf.ts";
import { rejection } from "../support/fixtures.ts";
import { suite } from "../support/suite.ts";

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** The numbers of a message's varint fields. */
async function numbersIn(bytes: readonly number[]): Promise<number[]> {
  const numbers: number[] = [];
  const reader = new ProtoReader(bytesSource(Uint8Array.from(bytes)), "test");
  await reader.fields({ offset: 0, length: bytes.length }, ({ value }) => numbers.push(value));
  return numbers;
}

suite("protobuf", (test) => {
  test("64-bit integers are exact within 2^53 and NaN beyond", async () => {
    const exact = [0, 1, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 53 - 1, -1, -2, -3, -(2 ** 28), -(2 ** 53) + 1];
    const bytes = exact.flatMap((value) => [8, ...varint(BigInt(value))]);
    assert.equal(await numbersIn(bytes), exact);
    assert.equal(await numbersIn([8, ...varint(2n ** 53n), 8, ...varint(2n ** 63n)]), [Number.NaN, Number.NaN]);
  });

  test("fields larger than the window are skipped without being read", async () => {
    const big = 1 << 20;
    const bytes = new Uint8Array(big + 6);
    bytes.set([0x12, ...varint(BigInt(big))]);
    bytes.set([0x18, 7], big + 4);
    let read = 0;
    const inner = bytesSource(bytes);
    const source = {
      byteLength: inner.byteLength,
      read: (offset: number, length: number) => {
        read += length;
        return inner.read(offset, length);
      },
    };
    const fields: string[] = [];
    await new ProtoReader(source, "test").fields({ offset: 0, length: bytes.length }, ({ number, wire, length }) => {
      fields.push(`${number}:${wire}:${length}`);
    });
    assert.equal(fields, [`2:2:${big}`, "3:0:1"]);
    assert.ok(read <= 2 << 16, `${read} bytes were read`);
  });

  test("refuses unfinished numbers, groups and fields that leave the message", async () => {
    for (const bytes of [[8, 128], [0x0b], [0x12, 5, 0], [0x12, ...varint(2n ** 63n)], [0x15, 1, 2], [0]]) {
      const message = `FormatError: test: no protobuf field at byte 0. It is truncated or damaged: get a fresh copy.`;
      assert.is(await rejection(numbersIn(bytes)), message, bytes.join());
    }
  });
});
