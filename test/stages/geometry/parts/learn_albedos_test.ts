import assert from "node:assert/strict";
import { albedoOf } from "../../../../face/morphable.ts";
import { shadingMap } from "../../../../face/normal_maps_cpu.ts";
import { flipMap } from "../../../../face/flip_map_cpu.ts";
import { learnAlbedos } from "../../../../stages/geometry/parts/learn_albedos.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import { inside, light, meanDifference, morphable, posed, SIZE, topology } from "../../face_lab.ts";

/** One face under a light from a side, wholly seen. */
function photographed(identity: string, side: number) {
  const vertices = posed();
  const own = albedoOf(morphable(), Float32Array.of(identity === "a" ? 0.8 : -0.8));
  const mirrored = flipMap(own, SIZE);
  const albedo = own.map((value, i) => 0.8 * (value + mirrored[i]!) / 2);
  const shading = shadingMap(vertices, { light: light(side), topology, size: SIZE });
  const texture = albedo.map((value, i) => inside[Math.floor(i / 3)]! * value * shading[i]!);
  return { key: `${identity}/${side}`, identity, vertices, texture, visibility: Float32Array.from(inside), albedo };
}

const faces = [photographed("a", -1), photographed("a", 1), photographed("a", 0.5), photographed("b", 1)];
const tf = await openTfjs();
const options = { topology, turns: 3, lightRidge: 0.01, progress: () => {} };

Deno.test("learnAlbedos() takes the light out: one person under lights from two sides comes to agree", async () => {
  const { each } = await learnAlbedos(tf, faces, options);
  const before = meanDifference(faces[0]!.texture, faces[1]!.texture, inside);
  const after = meanDifference(each[0]!, each[1]!, inside);
  assert.ok(after < 0.2 * before, `textures differ by ${before}, albedos by ${after}`);
  const lopsided = (map: Float32Array) => meanDifference(map, flipMap(map, SIZE), inside);
  assert.ok(
    lopsided(each[3]!) < 0.2 * lopsided(faces[3]!.texture),
    "a face lit from one side is left with no bright side",
  );
  for (const albedo of each) assert.ok(albedo.every((value) => value >= 0 && value <= 1));
});

Deno.test("learnAlbedos() trains on two photographs a person at most, each also mirrored", async () => {
  const { each, training } = await learnAlbedos(tf, faces, { ...options, turns: 1 });
  assert.equal(each.length, 4);
  assert.deepEqual(training, [0, 1, 3].flatMap((i) => [each[i]!, flipMap(each[i]!, SIZE)]));
});

Deno.test("learnAlbedos() completes what was not seen and counts its work", async () => {
  const counted: number[][] = [];
  const half = {
    ...faces[0]!,
    visibility: faces[0]!.visibility.map((value, i) => i % SIZE < SIZE / 2 + 10 ? value : 0),
  };
  const { each } = await learnAlbedos(tf, [half, faces[3]!], { ...options, progress: (...of) => counted.push(of) });
  assert.deepEqual(counted, [1, 2, 3, 4, 5, 6].map((done) => [done, 6]));
  const right = Float32Array.from(inside, (value, i) => i % SIZE > SIZE / 2 + 14 ? value : 0);
  const unlit = meanDifference(each[0]!, flipMap(each[0]!, SIZE), right);
  const lit = meanDifference(faces[0]!.texture, flipMap(faces[0]!.texture, SIZE), right);
  assert.ok(unlit < 0.5 * lit, `the unseen half is the mirrored one without its light: ${unlit}, lit ${lit}`);
});

Deno.test("learnAlbedos() gives a face the same bits in any part, and leaves no tensor behind", async () => {
  const others = Array.from({ length: 6 }, () => faces[1]!);
  const all = [...others, faces[0]!, faces[3]!, faces[2]!];
  await learnAlbedos(tf, all, { ...options, turns: 0 });
  const before = tf.memory().numTensors;
  const { each } = await learnAlbedos(tf, all, { ...options, turns: 0 });
  const alone = await learnAlbedos(tf, [faces[2]!], { ...options, turns: 0 });
  assert.deepEqual(each[8], alone.each[0]);
  assert.deepEqual(each, (await learnAlbedos(tf, all, { ...options, turns: 0 })).each, "the same bits in another run");
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("learnAlbedos() names the photograph of which nothing was seen", async () => {
  const unseen = { ...faces[1]!, key: "portraits/7", visibility: new Float32Array(SIZE * SIZE) };
  const before = tf.memory().numTensors;
  await assert.rejects(learnAlbedos(tf, [faces[0]!, unseen], options), /portraits\/7: its albedo cannot be learned/);
  assert.equal(tf.memory().numTensors, before);
});
