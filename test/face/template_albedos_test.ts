import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { albedoOf } from "../../face/morphable.ts";
import { disposeAlbedoModel, templateAlbedos, uploadAlbedoModel } from "../../face/template_albedos.ts";
import { randomStream } from "./head.ts";

const random = randomStream(17);
const tf = await openTfjs();

function model(size: number, components: number) {
  const length = 3 * size * size;
  return {
    albedoMean: Float32Array.from({ length }, () => 0.2 + 0.7 * random()),
    albedoBasis: Float32Array.from({ length: components * length }, () => 0.2 * (random() - 0.5)),
    albedoSigma: Float32Array.from({ length: components }, (_, k) => 2 / (k + 1)),
  };
}

for (const [size, components, count] of [[16, 5, 3], [9, 2, 1], [7, 4, 65], [8, 0, 2]] as const) {
  Deno.test(`templateAlbedos() is albedoOf() in bytes: ${count} of ${size}², ${components} components`, async () => {
    const before = tf.memory().numTensors;
    const albedo = model(size, components);
    const codes = Array.from(
      { length: count },
      (_, i) =>
        Float32Array.from({ length: i % 2 === 0 ? components : Math.min(1, components) }, () => 4 * random() - 2),
    );
    const device = uploadAlbedoModel(tf, albedo);
    const read = async (chosen: readonly Float32Array[]) => {
      const maps = templateAlbedos(tf, device, chosen);
      assert.deepEqual(maps.shape, [chosen.length, size, size, 3]);
      return await maps.data<"float32">().finally(() => maps.dispose());
    };
    const found = await read(codes);
    const length = 3 * size * size;
    for (const [i, code] of codes.entries()) {
      for (const [k, value] of albedoOf(albedo, code).entries()) {
        const byte = 255 * found[i * length + k]!;
        assert.ok(Math.abs(byte - Math.round(byte)) < 1e-4, `${byte} is a whole number`);
        assert.ok(Math.abs(byte - 255 * Math.min(1, Math.max(0, value))) < 0.501, `face ${i}, value ${k}`);
      }
    }
    assert.deepEqual(await read(codes), found, "the same bits in another run");
    assert.deepEqual(await read(codes.slice(-1)), found.slice(-length), "and alone");
    disposeAlbedoModel(device);
    assert.equal(tf.memory().numTensors, before, "no tensor stays behind");
  });
}

Deno.test("templateAlbedos() refuses a code that is too long, and none", () => {
  const device = uploadAlbedoModel(tf, model(4, 2));
  assert.throws(() => templateAlbedos(tf, device, []), RangeError);
  assert.throws(
    () => templateAlbedos(tf, device, [new Float32Array(2), new Float32Array(3)]),
    /Face 1: 3 coefficients/,
  );
  disposeAlbedoModel(device);
});
