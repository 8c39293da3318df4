import assert from "node:assert/strict";
import { shade } from "../../face/light_cpu.ts";
import { shadeTensor } from "../../face/shade_tensor.ts";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { inner, random } from "../gpu/arrays.ts";

const tf = await openTfjs();

for (const shape of [[1, 1, 1, 3], [3, 7, 9, 3], [2, 65, 3]]) {
  Deno.test(`shadeTensor() is shade() of each map, with its gradients: [${shape}]`, async () => {
    const [batch = 0] = shape;
    const normals = random(shape, 1).data;
    const light = random([batch, 27], 2).data;
    const dy = random(shape, 3).data;
    const of = async () => {
      const [n, l, d] = [tf.tensor(normals, shape), tf.tensor(light, [batch, 27]), tf.tensor(dy, shape)];
      const [value, [dn, dl]] = tf.tidy(() => [
        shadeTensor(tf, n, l),
        tf.grads((n, l) => tf.sum(tf.mul(shadeTensor(tf, n!, l!), d)))([n, l]) as [typeof n, typeof n],
      ]);
      const found = await Promise.all([value, dn, dl].map((tensor) => tensor.data<"float32">()));
      tf.dispose([n, l, d, value, dn, dl]);
      return found as [Float32Array, Float32Array, Float32Array];
    };
    const [value, toNormals, toLight] = await of();
    const size = normals.length / batch;
    const shaded = (normals: Float32Array, light: Float32Array) => {
      const maps = Array.from(
        { length: batch },
        (_, b) => shade(normals.subarray(b * size, (b + 1) * size), light.subarray(27 * b, 27 * (b + 1))),
      );
      return Float32Array.from(maps.flatMap((map) => [...map]));
    };
    assert.ok(value.every((v, i) => Math.abs(v - shaded(normals, light)[i]!) < 1e-5));
    // Linear in the light: ⟨shade(light), dy⟩ = ⟨light, gradient⟩.
    assert.ok(Math.abs(inner(value, dy) - inner(light, toLight)) < 1e-4);
    // Quadratic in the normals, so that central differences are exact.
    for (const i of [0, 1, 2, normals.length - 1]) {
      const moved = (step: number) => inner(shaded(normals.map((v, k) => k === i ? v + step : v), light), dy);
      assert.ok(Math.abs((moved(0.1) - moved(-0.1)) / 0.2 - toNormals[i]!) < 1e-4);
    }
    for (let i = 0; i < 10; i++) assert.deepEqual(await of(), [value, toNormals, toLight]);
    await (await openGpu()).assertHealthy("shade tensor test");
  });
}

Deno.test("shadeTensor() refuses a light for another batch", () => {
  assert.throws(() => shadeTensor(tf, tf.zeros([2, 4, 3]), tf.zeros([1, 27])), /\[2,4,3\] and light \[1,27\]/);
});
