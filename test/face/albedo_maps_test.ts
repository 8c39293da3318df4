import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { albedoMaps, disposeAlbedoParts, uploadAlbedoParts } from "../../face/albedo_maps.ts";
import { albedoOf } from "../../face/morphable.ts";
import { maxDifference, randomStream } from "./head.ts";

const tf = await openTfjs();
const size = 7;
const next = randomStream(11);
const values = (length: number, scale: number) => Float32Array.from({ length }, () => scale * (next() - 0.3));

/** A model of noise. */
function model(components: number) {
  return {
    albedoMean: values(3 * size * size, 1),
    albedoBasis: values(components * 3 * size * size, 0.3),
    albedoSigma: values(components, 2),
  };
}

Deno.test("albedoMaps() gives what albedoOf gives, with the same bits alone and among 65 faces", async () => {
  for (const components of [0, 1, 5]) {
    const albedo = model(components);
    const parts = uploadAlbedoParts(tf, albedo);
    const codes = Array.from({ length: 65 }, () => values(components, 2));
    const read = async (some: Float32Array[]) => {
      const maps = albedoMaps(tf, parts, { codes: some });
      assert.deepEqual(maps.shape, [some.length, size, size, 3]);
      const data = await maps.data<"float32">();
      maps.dispose();
      return some.map((_, i) => data.slice(i * 3 * size * size, (i + 1) * 3 * size * size));
    };
    const together = await read(codes);
    for (const [i, code] of codes.entries()) {
      assert.ok(maxDifference(together[i]!, albedoOf(albedo, code)) < 1e-5);
      if (i % 9 === 0) assert.deepEqual((await read([code]))[0], together[i]);
    }
    disposeAlbedoParts(parts);
  }
});

Deno.test("albedoMaps() rounds to the levels of a picture, and names the face whose code is not finite", async () => {
  const albedo = model(2);
  const parts = uploadAlbedoParts(tf, albedo);
  const codes = [values(2, 2), values(2, 2)];
  const maps = albedoMaps(tf, parts, { codes, levels: 255 });
  const data = await maps.data<"float32">();
  maps.dispose();
  const byte = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value))) / 255;
  const expected = codes.flatMap((code) => [...albedoOf(albedo, code).map(byte)]);
  let other = 0;
  for (const [i, value] of data.entries()) {
    assert.ok(Math.abs(value * 255 - Math.round(value * 255)) < 1e-4 && Math.abs(value - expected[i]!) < 1.1 / 255);
    if (Math.abs(value - expected[i]!) > 1e-4) other++;
  }
  assert.ok(other <= 1, `${other} values on another level`);
  const bad = [codes[0]!, Float32Array.of(0, NaN)];
  assert.throws(() => albedoMaps(tf, parts, { codes: bad }), /Face 1: an albedo's code must be 2 finite numbers/);
  assert.throws(() => albedoMaps(tf, parts, { codes: [] }), /There is no code/);
  disposeAlbedoParts(parts);
});
