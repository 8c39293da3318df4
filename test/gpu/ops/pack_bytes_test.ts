import assert from "node:assert/strict";
import { openTfjs } from "../../../gpu/tfjs.ts";
import { bytesOf, packBytes } from "../../../gpu/ops/pack_bytes.ts";
import { randomStream } from "../../face/head.ts";

const tf = await openTfjs();

for (const length of [1, 3, 4, 147, 192]) {
  Deno.test(`packBytes() clamps and rounds ${length} values as a file does`, async () => {
    const random = randomStream(length);
    const values = Float32Array.from({ length }, () => 1.4 * random() - 0.2);
    const words = tf.tidy(() => packBytes(tf, tf.tensor1d(values)));
    assert.deepEqual(words.shape, [Math.ceil(length / 4)]);
    const read = await words.data<"int32">().finally(() => words.dispose());
    const bytes = bytesOf(read, { index: 0, length });
    assert.deepEqual([...bytes], [...Uint8ClampedArray.from(values, (value) => Math.round(255 * value))]);
  });
}

Deno.test("bytesOf() finds a map among others", () => {
  const words = new Int32Array(Uint8Array.from({ length: 24 }, (_, i) => i).buffer);
  assert.deepEqual([...bytesOf(words, { index: 2, length: 6 })], [12, 13, 14, 15, 16, 17]);
});
