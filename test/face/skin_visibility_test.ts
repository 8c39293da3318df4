import assert from "node:assert/strict";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { skinVisibilities } from "../../face/skin_visibility.ts";
import { type SkinMaps, skinVisibilityCpu } from "../../face/skin_visibility_cpu.ts";
import { maxDifference, randomStream } from "./head.ts";

const tf = await openTfjs();
const SIZE = 64;

/** A face of skin, with what lies on it; what is `seen` of it from the left to the right edge falls off. */
function maps(
  colourAt: (x: number, y: number) => readonly [number, number, number] | undefined,
  { seed = 1, visible = (_x: number) => 1 }: { seed?: number; visible?: (x: number) => number } = {},
): SkinMaps {
  const random = randomStream(seed);
  const template = Float32Array.from({ length: 3 * SIZE * SIZE }, (_, k) => [0.7, 0.5, 0.4][k % 3]! + 0.02 * random());
  const texture = template.map((value) => value * (0.85 + 0.1 * random()));
  const visibility = Float32Array.from({ length: SIZE * SIZE }, (_, i) => visible(i % SIZE));
  for (let i = 0; i < SIZE * SIZE; i++) {
    const colour = colourAt(i % SIZE, Math.floor(i / SIZE));
    if (colour !== undefined) texture.set(colour, 3 * i);
  }
  return { texture, visibility, template };
}

async function onDevice(
  faces: readonly SkinMaps[],
  map: "seen" | "mirrored" = "seen",
): Promise<Float32Array[]> {
  const result = tf.tidy(() =>
    skinVisibilities(tf, {
      textures: tf.stack(faces.map(({ texture }) => tf.tensor3d(texture, [SIZE, SIZE, 3]))) as Tensor4D,
      visibilities: tf.stack(faces.map(({ visibility }) => tf.tensor2d(visibility, [SIZE, SIZE]))) as Tensor3D,
      templates: tf.stack(faces.map(({ template }) => tf.tensor3d(template, [SIZE, SIZE, 3]))) as Tensor4D,
    })[map]
  );
  const values = await result.data<"float32">();
  result.dispose();
  return faces.map((_, i) => values.slice(i * SIZE * SIZE, (i + 1) * SIZE * SIZE));
}

const WALL = [0.35, 0.5, 0.75] as const;
const BEARD = [0.15, 0.1, 0.08] as const;
const wallAtRight = maps((x) => x >= 54 ? WALL : undefined);
const beard = maps((_, y) => y > 46 ? BEARD : undefined, { seed: 2 });
const hairAndHand = maps((x, y) => x < 12 && y < 30 ? [0.05, 0.04, 0.04] : undefined, {
  seed: 3,
  visible: (x) => 1 - 0.6 * x / SIZE,
});
const at = (map: Float32Array, x: number, y: number) => map[SIZE * y + x]!;

Deno.test("the wall beside a cheek was not seen, the cheek and its mirror image were", async () => {
  const [seen] = await onDevice([wallAtRight]);
  for (let y = 0; y < SIZE; y++) {
    for (const x of [56, 60, 63]) assert.equal(at(seen!, x, y), 0, `wall at ${x}, ${y}`);
    for (const x of [0, 5, 9, 30, 50]) assert.equal(at(seen!, x, y), 1, `skin at ${x}, ${y}`);
  }
});

Deno.test("a beard is the person's own, since both halves have it", async () => {
  const [seen] = await onDevice([beard]);
  assert.deepEqual(seen, beard.visibility);
});

Deno.test("hair over one half is covered only where the other half was seen", async () => {
  const hidden = { ...hairAndHand, visibility: hairAndHand.visibility.map((v, i) => i % SIZE >= SIZE / 2 ? 0 : v) };
  const [shown, alone] = await onDevice([hairAndHand, hidden]);
  assert.equal(at(shown!, 4, 10), 0);
  assert.equal(at(alone!, 4, 10), hidden.visibility[SIZE * 10 + 4]);
});

/** A glare on the right, a shadow below it; of the left half nothing was seen in `glared`, all in `shown`. */
const shine = (x: number, y: number) => x > 44 && y < 20 ? [0.95, 0.9, 0.88] as const : undefined;
const shadow = (x: number, y: number) => x > 44 && y > 44 ? BEARD : undefined;
const glared = maps((x, y) => shine(x, y) ?? shadow(x, y), { seed: 4, visible: (x) => x < SIZE / 2 ? 0 : 1 });

Deno.test("a glare is seen where it lies, and not mirrored to where nothing was seen", async () => {
  const [[with_], [without]] = [await onDevice([glared]), await onDevice([glared], "mirrored")];
  assert.equal(at(with_!, 54, 10), 1);
  assert.equal(at(without!, 54, 10), 0);
  for (const [x, y] of [[54, 54], [54, 30], [36, 10]] as const) assert.equal(at(without!, x, y), 1, `${x}, ${y}`);
  assert.ok(maxDifference(without!, skinVisibilityCpu(glared).mirrored) < 1e-4);
});

Deno.test("a glare is no cover where skin faces the camera; a bright wall where it turns away is", async () => {
  const both = maps((x, y) => shine(x, y), { seed: 5 });
  const turned = maps((x, y) => shine(x, y), { seed: 5, visible: (x) => x > 44 ? 0.4 : 1 });
  const [facing, away] = await onDevice([both, turned]);
  assert.equal(at(facing!, 54, 10), 1);
  assert.equal(at(away!, 54, 10), 0);
  for (const [map, face] of [[facing, both], [away, turned]] as const) {
    assert.ok(maxDifference(map!, skinVisibilityCpu(face).seen) < 1e-4);
  }
});

Deno.test("the device gives what the reference gives, in any batch the same bits", async () => {
  const faces = [wallAtRight, beard, hairAndHand, { ...beard, visibility: beard.visibility.map(() => 0) }];
  const together = await onDevice(faces);
  for (const [i, face] of faces.entries()) {
    assert.ok(maxDifference(together[i]!, skinVisibilityCpu(face).seen) < 1e-4, `face ${i}`);
    assert.deepEqual((await onDevice([face]))[0], together[i], `face ${i} alone`);
  }
  assert.ok(together[3]!.every((value) => value === 0), "nothing was seen of the last");
});

Deno.test("maps that do not fit are refused", () => {
  tf.tidy(() => {
    const textures = tf.zeros([1, 4, 4, 3]) as Tensor4D;
    const visibilities = tf.zeros([1, 4, 4]) as Tensor3D;
    assert.throws(
      () => skinVisibilities(tf, { textures, visibilities, templates: tf.zeros([1, 4, 4, 1]) }),
      RangeError,
    );
    assert.throws(
      () => skinVisibilities(tf, { textures, visibilities: tf.zeros([2, 4, 4]), templates: textures }),
      /fit/,
    );
  });
});
