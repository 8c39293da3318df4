import assert from "node:assert/strict";
import { fitAlbedo } from "../../face/fit_albedos_cpu.ts";
import { albedoOf } from "../../face/morphable.ts";
import { shade } from "../../face/light_cpu.ts";
import { gaussian, uniform } from "../../nets/random.ts";

function scene({ components, seed }: { components: number; seed: number }) {
  const texels = 4000;
  const normal = gaussian(seed);
  const random = uniform(seed);
  const mean = Float32Array.from({ length: 3 * texels }, () => 0.4 + 0.2 * random());
  const basis = Float32Array.from({ length: components * 3 * texels }, () => normal());
  const sigma = new Float32Array(components).fill(0.05);
  const normals = new Float32Array(3 * texels);
  for (let i = 0; i < texels; i++) {
    const [x, y, z] = [normal(), normal(), Math.abs(normal()) + 0.3];
    const length = Math.hypot(x, y, z);
    normals.set([x / length, y / length, z / length], 3 * i);
  }
  const code = Float32Array.from({ length: components }, () => normal());
  const light = new Float32Array(27);
  for (let c = 0; c < 3; c++) light.set([3.2], c);
  for (let k = 3; k < 27; k++) light[k] = 0.12 * normal();
  const model = { albedoMean: mean, albedoBasis: basis, albedoSigma: sigma };
  const albedo = albedoOf(model, code);
  const shading = shade(normals, light);
  const texture = albedo.map((a, i) => a * shading[i]!);
  return { model, code, light, seen: { texture, normals, weight: new Float32Array(texels).fill(1) } };
}

Deno.test("fitAlbedo() finds the light and the code that made a texture", () => {
  const { model, code, light, seen } = scene({ components: 5, seed: 1 });
  const fit = fitAlbedo(model, seen, { noise: 1e-6, lightRidge: 1e-9, turns: 40, stride: 1 });
  fit.code.forEach((value, k) => assert.ok(Math.abs(value - code[k]!) < 0.02, `code ${k}: ${value} for ${code[k]}`));
  fit.light.forEach((value, k) =>
    assert.ok(Math.abs(value - light[k]!) < 0.02, `light ${k}: ${value} for ${light[k]}`)
  );
});

Deno.test("fitAlbedo() takes no notice of texels without weight", () => {
  const { model, seen } = scene({ components: 3, seed: 2 });
  seen.weight.fill(0, 0, 2000);
  const before = fitAlbedo(model, seen);
  seen.texture.fill(9, 0, 6000);
  assert.deepEqual(fitAlbedo(model, seen), before);
});

Deno.test("fitAlbedo() stays nearer to the mean when the noise is larger, and when less is seen", () => {
  const { model, seen } = scene({ components: 3, seed: 3 });
  const size = (code: Float32Array) => Math.hypot(...code);
  const plain = size(fitAlbedo(model, seen).code);
  assert.ok(size(fitAlbedo(model, seen, { noise: 1 }).code) < plain);
  seen.weight.fill(0, 60);
  assert.ok(size(fitAlbedo(model, seen).code) < plain);
});

Deno.test("fitAlbedo() with Huber weights survives a hand before the face", () => {
  const { model, code, seen } = scene({ components: 3, seed: 4 });
  for (let i = 0; i < 1200; i++) seen.texture[i] = 3;
  const error = (fit: Float32Array) => Math.hypot(...fit.map((value, k) => value - code[k]!));
  const options = { noise: 1e-5, turns: 25, stride: 1 };
  const robust = error(fitAlbedo(model, seen, { ...options, huber: 0.02 }).code);
  assert.ok(robust < 0.5 * error(fitAlbedo(model, seen, options).code), `robust error ${robust}`);
});

Deno.test("fitAlbedo() refuses a face of which nothing was seen", () => {
  const { model, seen } = scene({ components: 2, seed: 5 });
  seen.weight.fill(0);
  assert.throws(() => fitAlbedo(model, seen), RangeError);
});
