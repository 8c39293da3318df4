import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { fitLights } from "../../face/fit_lights.ts";
import { fitLight } from "../../face/fit_lights_cpu.ts";
import type { LightPrior } from "../../face/light.ts";
import { shade } from "../../face/light_cpu.ts";
import { gaussian, uniform } from "../../nets/random.ts";
import { relativeError } from "../gpu/arrays.ts";

const tf = await openTfjs();

interface Face {
  albedo: Float32Array;
  normals: Float32Array;
  texture: Float32Array;
  weight: Float32Array;
}

/** A face under a light of its own, with noise; a third of it is not seen. */
function face(texels: number, seed: number): Face {
  const [normal, random] = [gaussian(seed), uniform(seed)];
  const normals = new Float32Array(3 * texels);
  for (let i = 0; i < texels; i++) {
    const [x, y, z] = [normal(), normal(), Math.abs(normal()) + 0.3];
    const length = Math.hypot(x, y, z);
    normals.set([x / length, y / length, z / length], 3 * i);
  }
  const light = Float32Array.from({ length: 27 }, (_, k) => k < 3 ? 3 : 0.3 * normal());
  const albedo = Float32Array.from(normals, () => 0.3 + 0.3 * random());
  const texture = shade(normals, light).map((value, i) => albedo[i]! * value + 0.02 * normal());
  const weight = Float32Array.from({ length: texels }, () => Math.max(0, random() - 0.33));
  return { albedo, normals, texture, weight };
}

async function fit(faces: readonly Face[], options: Parameters<typeof fitLights>[2] = {}): Promise<Float32Array[]> {
  const stack = (name: keyof Face) => tf.stack(faces.map((one) => tf.tensor(one[name])));
  const map = (name: keyof Face) => tf.reshape(stack(name), [faces.length, -1, 3]);
  const maps = tf.tidy(() => ({
    albedo: map("albedo"),
    normals: map("normals"),
    texture: map("texture"),
    weight: stack("weight"),
  }));
  try {
    return await fitLights(tf, maps, options);
  } finally {
    tf.dispose(Object.values(maps));
  }
}

const onCpu = ({ texture, weight, ...rest }: Face, prior: LightPrior = {}) =>
  fitLight({ ...rest, colours: texture, weights: weight }, prior);

for (const { faces, texels } of [{ faces: 1, texels: 1 }, { faces: 3, texels: 6001 }, { faces: 65, texels: 127 }]) {
  Deno.test(`fitLights() is fitLight() of each face: ${faces} of ${texels} texels`, async () => {
    const all = Array.from({ length: faces }, (_, i) => face(texels, i + 1));
    if (texels === 1) all[0]!.weight.fill(1);
    for (const prior of [{}, { ridge: 0.1, secondOrder: 1, tint: 0 }]) {
      const lights = await fit(all, prior);
      all.forEach((one, i) => {
        const error = relativeError(lights[i]!, onCpu(one, prior));
        assert.ok(error < 1e-5, `face ${i}: ${error}`);
      });
      assert.deepEqual(await fit(all, prior), lights);
      assert.deepEqual(await fit(all.slice(-1), prior), lights.slice(-1));
    }
    await (await openGpu()).assertHealthy("fit lights test");
  });
}

Deno.test("fitLights() takes every n-th texel, and only those inside", async () => {
  const one = face(3000, 7);
  const inside = Uint8Array.from(one.weight, (_, i) => i % 2);
  const fewer = { ...one, weight: one.weight.map((value, i) => i % 7 === 0 && i % 2 === 1 ? value : 0) };
  const [light] = await fit([one], { stride: 7, inside });
  assert.ok(relativeError(light!, onCpu(fewer)) < 1e-4);
});

Deno.test("fitLights() does not look at what has no weight", async () => {
  const one = face(500, 8);
  const texture = one.texture.map((value, i) => one.weight[Math.floor(i / 3)] === 0 ? NaN : value);
  assert.deepEqual(await fit([{ ...one, texture }]), await fit([one]));
});

Deno.test("fitLights() takes one albedo for all faces", async () => {
  const faces = [1, 2].map((seed) => ({ ...face(300, seed), albedo: face(300, 9).albedo }));
  const [texture, normals] = (["texture", "normals"] as const).map((name) =>
    tf.tensor(faces.map((one) => [...one[name]])).reshape([2, 300, 3])
  );
  const weight = tf.tensor(faces.map((one) => [...one.weight]));
  const albedo = tf.tensor(faces[0]!.albedo, [1, 300, 3]);
  const lights = await fitLights(tf, { albedo, normals: normals!, texture: texture!, weight });
  assert.deepEqual(lights, await fit(faces));
  tf.dispose([albedo, normals!, texture!, weight]);
});

Deno.test("fitLights() names the face of which nothing was seen, or whose values are not finite", async () => {
  const [good, unseen, black, broken] = [face(200, 1), face(200, 2), face(200, 3), face(200, 4)];
  unseen.weight.fill(0);
  black.albedo.fill(0);
  broken.texture.fill(NaN);
  await assert.rejects(fit([good, unseen]), /^RangeError: Face 1: no light can be fitted/);
  await assert.rejects(fit([black, good]), /Face 0: no light/);
  await assert.rejects(fit([good, good, broken]), /Face 2: no light/);
  await assert.rejects(fit([{ ...good, weight: good.weight.slice(1) }]), /Weights \[1,199\] must be of 200 texels/);
  await assert.rejects(fit([good], { inside: new Uint8Array(200) }), /none takes part/);
});
