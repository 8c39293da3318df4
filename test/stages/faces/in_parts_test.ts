import assert from "node:assert/strict";
import { inParts } from "../../../stages/faces/in_parts.ts";

Deno.test("inParts() works on every item once, on two parts at a time, in order", async () => {
  const begun: number[][] = [];
  let [running, most] = [0, 0];
  await inParts([...Array(11).keys()], {
    size: 3,
    work: async (part) => {
      begun.push([...part]);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
    },
  });
  assert.deepEqual(begun, [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]);
  assert.equal(most, 2);
  await inParts([], { size: 3, work: () => assert.fail("there is nothing to do") });
});

Deno.test("inParts() begins no part after a failure, and ends when the other has ended", async () => {
  const ended: number[] = [];
  const work = async ([item]: readonly number[]) => {
    if (item === 1) throw new RangeError("the second");
    await new Promise((resolve) => setTimeout(resolve, 5));
    ended.push(item!);
  };
  await assert.rejects(inParts([0, 1, 2, 3], { size: 1, work }), /the second/);
  assert.deepEqual(ended, [0]);
});
