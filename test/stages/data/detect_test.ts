import assert from "node:assert/strict";
import type { FaceBox } from "../../../nets/detector.ts";
import { largest, leftToRight } from "../../../stages/data/detect.ts";

function face(left: number, size: number): FaceBox {
  return { left, top: 10, width: size, height: size, score: 0.9 };
}

Deno.test("leftToRight orders by centre, largest takes the largest box", () => {
  const faces = [face(100, 40), face(10, 30), face(0, 90)];
  assert.deepEqual(leftToRight(faces).map(({ left }) => left), [10, 0, 100]);
  assert.equal(largest(faces).left, 0);
  assert.throws(() => largest([]), RangeError);
});
