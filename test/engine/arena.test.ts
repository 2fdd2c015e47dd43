import * as assert from "uvu/assert";
import { testKernels } from "../support/kernels.ts";
import { suite } from "../support/suite.ts";

suite("arena", (test) => {
  test("allocated bytes are zero, fresh, given back or partly given back", () => {
    const { arena } = testKernels();
    const mark = arena.mark();
    for (const bytes of [128, 256, 64, 512]) {
      const address = arena.allocate(bytes);
      assert.is(address, mark);
      assert.is(address % 64, 0);
      assert.equal(arena.u8(address, bytes), new Uint8Array(bytes), `${bytes} bytes`);
      arena.u8(address, bytes).fill(7);
      arena.release(mark);
      assert.is(arena.usedBytes, mark);
    }
  });

  test("reserved bytes lie as allocated ones do, and leave zeros to the next", () => {
    const { arena } = testKernels();
    const mark = arena.mark();
    arena.u8(arena.allocate(1000), 1000).fill(7);
    arena.release(mark);
    assert.is(arena.reserve(100), mark);
    const next = arena.allocate(2000);
    assert.is(next, mark + 128);
    assert.equal(arena.u8(next, 2000), new Uint8Array(2000));
  });
});
