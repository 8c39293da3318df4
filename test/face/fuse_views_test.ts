import assert from "node:assert/strict";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { fuseViews } from "../../face/fuse_views.ts";
import { type FusedViewCpu, fuseViewsCpu } from "../../face/fuse_views_cpu.ts";
import { normalMap } from "../../face/normal_maps_cpu.ts";
import { inside, meanDifference, posed, SIZE, smoothAlbedo, topology } from "../stages/face_lab.ts";
import { maxDifference } from "./head.ts";

const tf = await openTfjs();

/** A view of an albedo from a yaw, with a tone of its own. */
function viewOf(
  albedo: Float32Array,
  { yaw, tone = 0, density = 1, side = 0 }: { yaw: number; tone?: number; density?: number; side?: number },
) {
  const normals = normalMap(posed(yaw), topology, { size: SIZE });
  const visibility = Float32Array.from(inside, (value, i) => {
    return value * Math.min(1, Math.max(0, (normals[3 * i + 2]! - 0.1) / 0.3));
  });
  // a lamp at a side of the head
  const light = albedo.map((_, i) => 0.2 * side * (Math.floor(i / 3) % SIZE / SIZE - 0.5));
  const texture = albedo.map((value, i) => visibility[Math.floor(i / 3)]! > 0 ? value + tone + light[i]! : -1);
  return { texture, light, visibility, normals, density };
}

async function onDevice(views: readonly FusedViewCpu[], reference: number) {
  const tensors = tf.tidy(() => {
    const stack = (name: "texture" | "light" | "visibility" | "normals", channels: number) =>
      tf.stack(views.map((view) => tf.tensor(view[name], [SIZE, SIZE, ...channels > 1 ? [channels] : []])));
    const { texture, visibility, shares } = fuseViews(tf, {
      textures: stack("texture", 3) as Tensor4D,
      lights: stack("light", 3) as Tensor4D,
      visibilities: stack("visibility", 1) as Tensor3D,
      normals: stack("normals", 3) as Tensor4D,
    }, { densities: views.map(({ density }) => density), reference });
    return { texture, visibility, shares };
  });
  const [texture, visibility, shares] = await Promise.all(
    [tensors.texture, tensors.visibility, tensors.shares].map((tensor) => tensor.data<"float32">()),
  ) as [Float32Array, Float32Array, Float32Array];
  tf.dispose([tensors.texture, tensors.visibility, tensors.shares]);
  return { texture, visibility, shares };
}

Deno.test("fused views agree with the reference, whichever view gives the tone", async () => {
  const albedo = smoothAlbedo(3);
  const views = [
    viewOf(albedo, { yaw: -50, tone: 0.1, density: 0.7, side: 1 }),
    viewOf(albedo, { yaw: 5, density: 1.5, side: -0.3 }),
    viewOf(albedo, { yaw: 60, tone: -0.08 }),
  ];
  for (const reference of [0, 1]) {
    const expected = fuseViewsCpu(views, reference);
    const found = await onDevice(views, reference);
    assert.ok(maxDifference(found.texture, expected.texture) < 1e-4);
    assert.ok(maxDifference(found.visibility, expected.visibility) < 1e-6);
    expected.shares.forEach((share, i) => {
      assert.ok(maxDifference(found.shares.slice(SIZE ** 2 * i, SIZE ** 2 * (i + 1)), share) < 1e-4, `share ${i}`);
    });
  }
  const one = await onDevice(views.slice(1, 2), 0);
  const seen = views[1]!.visibility;
  assert.ok(one.shares.every((share, i) => Math.abs(share - Math.sign(seen[i]!)) < 1e-5));
});

Deno.test("three views in other lights give the face back where any saw it, in the light of the reference", () => {
  const albedo = smoothAlbedo(5);
  const views = [
    viewOf(albedo, { yaw: 35, side: -0.5 }),
    viewOf(albedo, { yaw: -60, tone: 0.15, side: 1 }),
    viewOf(albedo, { yaw: 60, tone: -0.1 }),
  ];
  const lit = albedo.map((value, i) => value + views[0]!.light[i]!);
  const { texture, visibility, shares } = fuseViewsCpu(views, 0);
  const count = (map: Float32Array) => map.reduce((sum, value) => sum + Math.sign(value), 0);
  assert.ok(count(visibility) > count(views[0]!.visibility), "more was seen than in the reference");
  assert.ok(meanDifference(texture, lit, visibility) < 0.003, `${meanDifference(texture, lit, visibility)}`);
  const sums = visibility.map((_, i) => shares.reduce((sum, share) => sum + share[i]!, 0));
  assert.ok(sums.every((sum, i) => Math.abs(sum - Math.sign(visibility[i]!)) < 1e-5));
});

Deno.test("in one light nothing is changed, whatever the fits say of it", () => {
  const albedo = smoothAlbedo(6);
  const [one, other] = [viewOf(albedo, { yaw: 40 }), viewOf(albedo, { yaw: -55 })];
  const wrong = { ...other, light: albedo.map((_, i) => 0.3 * (Math.floor(i / 3 / SIZE) / SIZE - 0.5)) };
  const { texture, visibility } = fuseViewsCpu([one, wrong], 0);
  assert.ok(meanDifference(texture, albedo, visibility) < 1e-3);
});

Deno.test("a view with twice the pixels gives what both see alike, and shapes that do not fit are refused", () => {
  const views = [viewOf(smoothAlbedo(1), { yaw: 10 }), viewOf(smoothAlbedo(1), { yaw: 10, density: 2 })];
  const { shares } = fuseViewsCpu(views, 0);
  assert.ok(shares[1]!.every((share, i) => views[0]!.visibility[i] === 0 || share > 0.95));
  assert.throws(() =>
    fuseViews(tf, {
      textures: tf.zeros([2, 8, 8, 3]),
      lights: tf.zeros([2, 8, 8, 3]),
      visibilities: tf.zeros([1, 8, 8]),
      normals: tf.zeros([2, 8, 8, 3]),
    }, { densities: [1, 1], reference: 0 }), /Cannot fuse/);
});
