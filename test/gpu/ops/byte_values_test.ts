import assert from "node:assert/strict";
import { byteValues } from "../../../gpu/ops/byte_values.ts";
import { byteValuesCpu } from "../../../gpu/ops/byte_values_cpu.ts";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { maxDifference, randomStream } from "../../face/head.ts";

const tf = await openTfjs();
const random = randomStream(8);
const drawn = (length: number) => Uint8Array.from({ length }, () => 256 * random());

for (const [lengths, shape] of [[[256], [256]], [[7, 6], [13]], [[1], [1, 1]], [[9, 15, 3], [3, 9]]] as const) {
  Deno.test(`byteValues() is the reference's: parts of ${lengths} bytes as a tensor [${shape}]`, async () => {
    const parts = lengths.map((length) => length === 256 ? Uint8Array.from({ length }, (_, i) => i) : drawn(length));
    const values = byteValues(tf, parts, shape);
    assert.deepEqual(values.shape, shape);
    const data = await values.data() as Float32Array;
    assert.ok(maxDifference(data, byteValuesCpu(parts)) < 1.2e-7);
    values.dispose();
  });
}

Deno.test("byteValues() takes clamped bytes and none at all, and refuses another shape", async () => {
  assert.deepEqual([...await byteValues(tf, [Uint8ClampedArray.of(0, 255)], [2]).data()], [0, 1]);
  assert.equal((await byteValues(tf, [], [0, 3]).data()).length, 0);
  assert.throws(() => byteValues(tf, [drawn(5)], [2, 3]), { name: "RangeError", message: /^5 bytes .* \[2,3\] of 6/ });
});
