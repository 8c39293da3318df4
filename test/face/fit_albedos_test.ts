import assert from "node:assert/strict";
import type { Tensor } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { fitAlbedo } from "../../face/fit_albedos_cpu.ts";
import { disposeAlbedoBasis, uploadAlbedoBasis } from "../../face/albedo_basis.ts";
import { fitAlbedos } from "../../face/fit_albedos.ts";
import { uploadSamples } from "../../face/sampled_texels.ts";
import { shade } from "../../face/light_cpu.ts";
import { type AlbedoModel, albedoOf } from "../../face/morphable.ts";
import { gaussian, uniform } from "../../nets/random.ts";
import { relativeError } from "../gpu/arrays.ts";

const tf = await openTfjs();

interface Seen {
  texture: Float32Array;
  weight: Float32Array;
  normals: Float32Array;
}

function modelOf(texels: number, components: number): AlbedoModel {
  const [normal, random] = [gaussian(components), uniform(components)];
  return {
    albedoMean: Float32Array.from({ length: 3 * texels }, () => 0.4 + 0.2 * random()),
    albedoBasis: Float32Array.from({ length: components * 3 * texels }, () => normal()),
    albedoSigma: Float32Array.from({ length: components }, (_, k) => 0.05 / (1 + 0.1 * k)),
  };
}

/** A face of the model, in a light of its own, half of it seen, with a hand before it. */
function seenOf(model: AlbedoModel, seed: number): Seen {
  const [normal, random] = [gaussian(seed), uniform(seed)];
  const normals = new Float32Array(model.albedoMean.length);
  for (let i = 0; i < normals.length; i += 3) {
    const [x, y, z] = [normal(), normal(), Math.abs(normal()) + 0.3];
    const length = Math.hypot(x, y, z);
    normals.set([x / length, y / length, z / length], i);
  }
  const code = Float32Array.from(model.albedoSigma, () => normal());
  const light = Float32Array.from({ length: 27 }, (_, k) => k < 3 ? 3.2 : 0.12 * normal());
  const shading = shade(normals, light);
  const texture = albedoOf(model, code).map((a, i) => i < normals.length / 10 ? 1.5 : a * shading[i]!);
  return {
    texture,
    normals,
    weight: Float32Array.from({ length: normals.length / 3 }, () => Math.max(0, random() - 0.5)),
  };
}

async function fit(
  model: AlbedoModel,
  faces: readonly Seen[],
  { stride = 7, inside, ...options }: Omit<Parameters<typeof fitAlbedos>[2], "basis"> & {
    stride?: number;
    inside?: Uint8Array;
  } = {},
) {
  const basis = uploadAlbedoBasis(tf, model, { stride, inside });
  const map = (name: keyof Seen) => tf.stack(faces.map((face) => tf.tensor(face[name])));
  const maps = tf.tidy(() => ({
    texture: tf.reshape(map("texture"), [faces.length, -1, 3]),
    normals: tf.reshape(map("normals"), [faces.length, -1, 3]),
    weight: map("weight"),
  }));
  try {
    return await fitAlbedos(tf, maps, { basis, ...options });
  } finally {
    tf.dispose(Object.values(maps));
    disposeAlbedoBasis(basis);
  }
}

for (
  const { faces, texels, components, stride, huber } of [
    { faces: 1, texels: 4001, components: 5, stride: 1, huber: Infinity },
    { faces: 5, texels: 30_000, components: 20, stride: 7, huber: 0.06 },
    { faces: 65, texels: 301, components: 3, stride: 2, huber: 0.06 },
    { faces: 2, texels: 2000, components: 81, stride: 3, huber: 0.1 },
  ]
) {
  Deno.test(`fitAlbedos() is fitAlbedo() of each face: ${faces} faces, ${components} components`, async () => {
    const model = modelOf(texels, components);
    const all = Array.from({ length: faces }, (_, i) => seenOf(model, i + 1));
    const options = { turns: 4, stride, huber };
    const fits = await fit(model, all, options);
    for (const [i, { light, code }] of fits.entries()) {
      if (i % 8 !== 0 && i !== faces - 1) continue;
      const expected = fitAlbedo(model, all[i]!, options);
      const errors = [relativeError(light, expected.light), relativeError(code, expected.code)];
      assert.ok(Math.max(...errors) < 1e-5, `face ${i}: ${errors}`);
    }
    assert.deepEqual(await fit(model, all, options), fits);
    assert.deepEqual(await fit(model, all.slice(-1), options), fits.slice(-1));
  });
}

Deno.test("fitAlbedos() has the same bits whether texels that were not seen take part", async () => {
  const model = modelOf(3000, 6);
  const seen = seenOf(model, 1);
  const inside = Uint8Array.from(seen.weight, (_, i) => i % 5 === 0 ? 0 : 1);
  seen.weight.forEach((_, i) => inside[i] === 0 && (seen.weight[i] = 0));
  const [all, some] = [await fit(model, [seen]), await fit(model, [seen], { inside })];
  assert.ok(relativeError(some[0]!.light, all[0]!.light) < 1e-5);
  assert.ok(relativeError(some[0]!.code, all[0]!.code) < 1e-5);
});

Deno.test("fitAlbedos() takes whole maps, or the samples of them alone", async () => {
  const model = modelOf(3000, 6);
  const faces = [1, 2].map((seed) => seenOf(model, seed));
  const basis = uploadAlbedoBasis(tf, model, {});
  const maps = (["texture", "normals", "weight"] as const).map((name) =>
    uploadSamples(tf, faces.map((face) => face[name]), basis)
  );
  const [texture, normals, weight] = maps as [Tensor, Tensor, Tensor];
  assert.deepEqual(await fitAlbedos(tf, { texture, normals, weight }, { basis }), await fit(model, faces));
  assert.throws(
    () => uploadSamples(tf, [new Float32Array(3000), new Float32Array(9000)], basis),
    /Face 1: a map has 9000/,
  );
  tf.dispose(maps);
  disposeAlbedoBasis(basis);
});

Deno.test("fitAlbedos() names the face of which nothing was seen, or whose values are not finite", async () => {
  const model = modelOf(300, 3);
  const [good, unseen, broken] = [seenOf(model, 1), seenOf(model, 2), seenOf(model, 3)];
  unseen.weight.fill(0);
  broken.texture.fill(NaN);
  await assert.rejects(fit(model, [good, unseen]), /^RangeError: Face 1: no light can be fitted/);
  await assert.rejects(fit(model, [broken, good]), /Face 0: no light/);
  await assert.rejects(fit(modelOf(200, 3), [good]), /Weights \[1,300\] must be of 200 texels/);
  assert.throws(() => uploadAlbedoBasis(tf, modelOf(30, 0)), /no component/);
});
