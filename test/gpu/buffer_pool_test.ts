import assert from "node:assert/strict";
import { bufferPool, SWEEP } from "../../gpu/buffer_pool.ts";
import { openGpu } from "../../gpu/device.ts";

const USAGE = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;

Deno.test("work that repeats runs over the same buffers, in whatever order they were given back", async () => {
  const pool = bufferPool((await openGpu()).device);
  const work = (order: readonly number[]) => {
    const buffers = [64, 64, 128, 64, 128].map((size) => pool.acquireBuffer(size, USAGE));
    for (const i of order) pool.releaseBuffer(buffers[i]!);
    return buffers;
  };
  const first = work([0, 1, 2, 3, 4]);
  for (const order of [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [3, 1, 4, 0, 2]]) assert.deepEqual(work(order), first);
  assert.deepEqual(first.map(({ size }) => size), [64, 64, 128, 64, 128]);
  assert.equal(new Set(first).size, 5);
  pool.dispose();
});

Deno.test("a buffer serves one owner at a time, of its own size and usage, and all are counted", async () => {
  const pool = bufferPool((await openGpu()).device);
  const [a, b] = [pool.acquireBuffer(64, USAGE), pool.acquireBuffer(64, USAGE)];
  assert.notEqual(a, b);
  pool.releaseBuffer(a);
  assert.notEqual(pool.acquireBuffer(32, USAGE), a);
  assert.notEqual(pool.acquireBuffer(64, USAGE | GPUBufferUsage.COPY_SRC), a);
  assert.deepEqual([pool.getNumUsedBuffers(), pool.getNumFreeBuffers()], [3, 1]);
  assert.deepEqual([pool.numBytesUsed, pool.numBytesAllocated], [160, 224]);
  assert.throws(() => pool.releaseBuffer(a), /did not give/);
  pool.releaseBuffer(b, false);
  assert.deepEqual([pool.numBytesUsed, pool.numBytesAllocated, pool.getNumFreeBuffers()], [96, 160, 1]);
  assert.equal(pool.acquireBuffer(64, USAGE), a);
  pool.dispose();
  assert.deepEqual([pool.getNumUsedBuffers(), pool.numBytesAllocated], [0, 0]);
});

Deno.test("a size that is not asked for again is given up, and one in use is not", async () => {
  let time = 0;
  const pool = bufferPool((await openGpu()).device, { remembered: 8, now: () => time });
  const held = pool.acquireBuffer(48, USAGE);
  pool.releaseBuffer(pool.acquireBuffer(32, USAGE));
  const repeated = Array.from({ length: 30 }, () => {
    time++;
    const buffer = pool.acquireBuffer(64, USAGE);
    pool.releaseBuffer(buffer);
    return buffer;
  });
  assert.equal(new Set(repeated).size, 1);
  assert.deepEqual([pool.getNumUsedBuffers(), pool.getNumFreeBuffers(), pool.numBytesAllocated], [1, 1, 48 + 64]);
  pool.releaseBuffer(held);
  assert.equal(pool.acquireBuffer(48, USAGE), held);
  pool.dispose();
});

Deno.test("a size that came once is given up after a sweep, one that comes again only after long", async () => {
  let time = 0;
  const pool = bufferPool((await openGpu()).device, { remembered: 10 * SWEEP, now: () => time });
  const ask = (size: number) => {
    const buffer = pool.acquireBuffer(size, USAGE);
    pool.releaseBuffer(buffer);
    return buffer;
  };
  // pictures of different sizes, one after the other
  for (let size = 4; size <= 400; size += 4, time += SWEEP / 2) ask(size);
  assert.ok(pool.numBytesAllocated <= 4 * 400, `${pool.numBytesAllocated} bytes`);
  // steps that take longer than a sweep: the second one's buffer stays
  const steps = Array.from({ length: 5 }, () => {
    time += 3 * SWEEP;
    ask(8);
    return ask(1024);
  });
  assert.equal(new Set(steps.slice(1)).size, 1);
  pool.dispose();
});
