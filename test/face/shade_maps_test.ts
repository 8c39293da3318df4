import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { shade } from "../../face/light_cpu.ts";
import { shadeMaps } from "../../face/shade_maps.ts";
import { random } from "../gpu/arrays.ts";
import { maxDifference } from "./head.ts";

const tf = await openTfjs();

async function shaded(normals: Float32Array, light: Float32Array, shape: number[]): Promise<Float32Array> {
  const result = tf.tidy(() => shadeMaps(tf, tf.tensor(normals, shape), tf.tensor(light, [shape[0]!, 27])));
  const values = await result.data<"float32">();
  result.dispose();
  return values;
}

for (const shape of [[1, 1, 3], [3, 7, 9, 3], [65, 5, 3]]) {
  Deno.test(`shadeMaps() is shade() of each map, the same bits in any company: [${shape}]`, async () => {
    const [batch = 0] = shape;
    const normals = random(shape, 1).data;
    const light = random([batch, 27], 2).data;
    const found = await shaded(normals, light, shape);
    const size = normals.length / batch;
    for (let b = 0; b < batch; b++) {
      const expected = shade(normals.slice(b * size, (b + 1) * size), light.slice(27 * b, 27 * (b + 1)));
      assert.ok(maxDifference(found.slice(b * size, (b + 1) * size), expected) < 1e-6);
    }
    assert.deepEqual(await shaded(normals, light, shape), found);
    const alone = await shaded(normals.slice(-size), light.slice(-27), [1, ...shape.slice(1)]);
    assert.deepEqual(alone, found.slice(-size));
    await (await openGpu()).assertHealthy("shade maps test");
  });
}

Deno.test("shadeMaps() refuses a light for another batch, and no face", () => {
  assert.throws(() => shadeMaps(tf, tf.zeros([2, 4, 3]), tf.zeros([1, 27])), /\[2,4,3\] and light \[1,27\]/);
  assert.throws(() => shadeMaps(tf, tf.zeros([0, 4, 3]), tf.zeros([0, 27])), RangeError);
});
