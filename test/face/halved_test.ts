import assert from "node:assert/strict";
import { halved } from "../../face/halved.ts";

Deno.test("halved() takes the mean of four pixels, and leaves out an odd column and row", () => {
  const row = (...values: number[]) => values.flatMap((value) => [value, 2 * value, 255 - value]);
  const data = Uint8Array.from([row(0, 2, 100, 104, 9), row(4, 6, 108, 112, 9), row(9, 9, 9, 9, 9)].flat());
  assert.deepEqual(halved({ width: 5, height: 3, data }), {
    width: 2,
    height: 1,
    data: Uint8Array.of(3, 6, 252, 106, 212, 149),
  });
});
