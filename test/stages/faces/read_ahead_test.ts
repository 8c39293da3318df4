import assert from "node:assert/strict";
import { readAhead } from "../../../stages/faces/read_ahead.ts";

async function collect<T>(batches: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

Deno.test("items come in order, some at a time; the next are asked for before the first are given", async () => {
  const asked: number[] = [];
  const read = async (item: number) => {
    asked.push(item);
    await new Promise((resolve) => setTimeout(resolve, 5 - item));
    return 10 * item;
  };
  const batches = readAhead([1, 2, 3, 4, 5], { count: 2, read });
  assert.deepEqual((await batches.next()).value, [10, 20]);
  assert.deepEqual(asked, [1, 2, 3, 4]);
  assert.deepEqual(await collect(batches), [[30, 40], [50]]);
  assert.deepEqual(await collect(readAhead([], { count: 2, read })), []);
});

Deno.test("an item that cannot be read fails where it would have come, not where the reader stops before", async () => {
  const read = async (item: number) => {
    await Promise.resolve();
    if (item === 3) throw new Error("three is damaged");
    return item;
  };
  const given: number[][] = [];
  await assert.rejects(async () => {
    for await (const batch of readAhead([1, 2, 3], { count: 1, read })) given.push(batch);
  }, /three is damaged/);
  assert.deepEqual(given, [[1], [2]]);
  for await (const batch of readAhead([2, 3], { count: 1, read })) {
    assert.deepEqual(batch, [2]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    break;
  }
});
