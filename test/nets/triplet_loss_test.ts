import assert from "node:assert/strict";
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { valueAndGradients } from "../../nets/adam.ts";
import { type LossWeights, PAPER_WEIGHTS } from "../../nets/losses.ts";
import { uniform } from "../../nets/random.ts";
import type { DeviceTriplet } from "../../nets/device_triplet.ts";
import type { IdentityNetwork, KnownFaces } from "../../nets/known_faces.ts";
import { resample } from "../../nets/resample.ts";
import { type LossChoices, type LossTerms, totalLoss, tripletLoss } from "../../nets/triplet_loss.ts";

const tf = await openTfjs();
const SIDE = 8, CROP = 16;
const NONE: LossWeights = { photometric: 0, albedo: 0, identity: 0, mrf: 0, symmetry: 0, regularisation: 0 };

function random(seed: number, length: number): Float32Array {
  const next = uniform(seed);
  return Float32Array.from({ length }, () => 0.2 + 0.6 * next());
}

/** A network of two random layers, smooth so that differences can check it; counts its passes. */
function network(): IdentityNetwork & { passes: number } {
  const signed = (seed: number, shape: [number, number, number, number]) =>
    tf.tensor4d(random(seed, shape.reduce((a, b) => a * b)).map((x) => 2 * (x - 0.5)), shape);
  const [first, second] = [signed(1, [3, 3, 3, 8]), signed(2, [3, 3, 8, 8])];
  return {
    side: 12,
    layerWeights: [1, 2],
    passes: 0,
    features(faces) {
      this.passes++;
      const fine = tf.softplus(tf.conv2d(tf.sub(faces, 0.5) as Tensor4D, first, 2, "same")) as Tensor4D;
      const coarse = tf.softplus(tf.conv2d(fine, second, 2, "same")) as Tensor4D;
      return { descriptor: tf.mean(coarse, [1, 2]), layers: [fine, coarse] };
    },
  };
}

const FACE = { left: 1, top: 1, width: 14, height: 14 };
/** The middle 12×12 pixels show the texture. */
const COVERED = Float32Array.from(
  { length: CROP * CROP },
  (_, i) => [i % CROP, Math.floor(i / CROP)].every((place) => place >= 2 && place < 14) ? 1 : 0,
);

/** A view as numbers. */
function view(seed: number) {
  return {
    texture: random(seed + 1, 3 * SIDE * SIDE),
    visibility: Float32Array.from({ length: SIDE * SIDE }, (_, i) => i % SIDE < 4 ? 1 : 0),
    shading: random(seed + 2, 3 * SIDE * SIDE),
    albedo: random(seed + 3, 3 * SIDE * SIDE),
    guess: random(seed + 4, 3 * SIDE * SIDE),
    photograph: random(seed, 3 * CROP * CROP),
  };
}

/** Three views on the device; a render takes the nearest texel of each covered pixel. */
function triplet(views: readonly ReturnType<typeof view>[], trusted?: Tensor4D): DeviceTriplet {
  const stack = (name: keyof ReturnType<typeof view>, side: number) =>
    tf.stack(views.map((view) => tf.tensor3d(view[name], [side, side, view[name].length / side ** 2]))) as Tensor4D;
  const [albedo, shading, visibility] = [stack("albedo", SIDE), stack("shading", SIDE), stack("visibility", SIDE)];
  const nearest = tf.tensor2d(
    Float32Array.from({ length: 12 * SIDE }, (_, i) => Math.floor(Math.floor(i / SIDE) * 2 / 3) === i % SIDE ? 1 : 0),
    [12, SIDE],
  );
  const along = (maps: Tensor4D) => {
    const [, height, width, channels] = maps.shape;
    const rows = tf.matMul(tf.tile(tf.expandDims(nearest, 0), [3, 1, 1]), tf.reshape(maps, [3, height, -1]));
    return tf.transpose(tf.reshape(rows, [3, 12, width, channels]), [0, 2, 1, 3]) as Tensor4D;
  };
  return {
    input: {
      incomplete: tf.mul(stack("texture", SIDE), visibility),
      visibility,
      guess: stack("guess", SIDE),
      templateAlbedo: albedo,
      templateTexture: tf.mul(albedo, shading),
      shading,
      code: tf.zeros([3, 3]),
    },
    photographs: stack("photograph", CROP),
    coverage: tf.tile(tf.tensor4d(COVERED, [1, CROP, CROP, 1]), [3, 1, 1, 1]),
    trusted,
    cut: (pictures) => resample(tf, pictures, { box: FACE, width: 12, height: 12 }),
    render: (textures) => tf.pad(along(along(textures)), [[0, 0], [2, 2], [2, 2], [0, 0]]),
    dispose: () => {},
  };
}

function scene() {
  const identity = network();
  const views = [view(10), view(20), view(30)];
  const crops = tf.concat(
    views.map(({ photograph }) =>
      resample(tf, tf.tensor4d(photograph, [1, CROP, CROP, 3]), { box: FACE, width: 12, height: 12 })
    ),
  );
  const { descriptor, layers } = identity.features(crops);
  const inside = layers.map(({ shape: [, height, width] }) => new Array<boolean>(3 * height * width).fill(true));
  const known: KnownFaces = { descriptor: descriptor as Tensor2D, layers, inside };
  identity.passes = 0;
  const albedos = tf.variable(tf.tensor4d(random(5, 9 * SIDE * SIDE), [3, SIDE, SIDE, 3]));
  const terms = (
    weights: LossWeights,
    albedo: Tensor4D = albedos,
    { trusted, ...changed }: Partial<LossChoices> & { trusted?: Tensor4D } = {},
  ): LossTerms =>
    tripletLoss(tf, {
      ...{ light: "picked", symmetry: "unseen", prior: "guess", ...changed },
      ...{ known, triplet: triplet(views, trusted), chosen: 1, weights, identity, chart: tf.ones([SIDE, SIDE, 1]) },
      model: { albedo: () => albedo, light: ({ albedo, shading }) => tf.mul(albedo, shading) },
    });
  return { identity, albedos, terms, views, known };
}

Deno.test("all terms are finite and positive, and each has a gradient that reaches the albedo", async () => {
  const { albedos, terms } = scene();
  for (const name of Object.keys(NONE) as (keyof LossWeights)[]) {
    const weights = { ...NONE, [name]: 1 };
    const { value, gradients } = valueAndGradients(tf, { albedos }, () => totalLoss(tf, terms(weights), weights));
    const [loss] = await value.data();
    const gradient = await gradients.albedos!.data() as Float32Array;
    assert.ok(loss! > 0 && Number.isFinite(loss), `${name} is ${loss}`);
    assert.ok(gradient.every(Number.isFinite) && gradient.some((x) => x !== 0), `gradient of ${name}`);
  }
  await (await openGpu()).assertHealthy("triplet loss");
});

Deno.test("regularisation keeps what no view shows at the first guess, and says nothing of the rest", async () => {
  const { terms, views } = scene();
  const weights = { ...NONE, regularisation: 1 };
  const of = async (albedo: (view: typeof views[number], i: number) => number) => {
    const maps = views.flatMap((view) => Array.from({ length: 3 * SIDE * SIDE }, (_, i) => albedo(view, i)));
    return (await terms(weights, tf.tensor4d(maps, [3, SIDE, SIDE, 3])).regularisation!.data())[0]!;
  };
  const guessed = ({ guess, albedo, shading }: typeof views[number], i: number) =>
    guess[i]! - albedo[i]! * shading[i]! + albedo[i]!;
  // The views show the four columns on the left.
  const hidden = (i: number) => Math.floor(i / 3) % SIDE >= 4;
  assert.ok(await of(guessed) < 1e-6);
  assert.ok(await of((view, i) => hidden(i) ? guessed(view, i) : 9) < 1e-6);
  assert.ok(Math.abs(await of((view, i) => guessed(view, i) + (hidden(i) ? 0.25 : 0)) - 0.25) < 1e-6);
});

Deno.test("a weight of 0 takes a term away; identity and ID-MRF share one pass, which is not made for neither", () => {
  const { identity, terms } = scene();
  assert.deepEqual(Object.keys(terms(PAPER_WEIGHTS)).sort(), Object.keys(PAPER_WEIGHTS).sort());
  assert.equal(identity.passes, 1);
  assert.deepEqual(Object.keys(terms({ ...NONE, mrf: 1 })), ["mrf"]);
  assert.equal(identity.passes, 2);
  assert.ok(!("mrf" in terms({ ...PAPER_WEIGHTS, mrf: 0 })));
  assert.equal(identity.passes, 3);
  assert.ok(!("identity" in terms({ ...PAPER_WEIGHTS, identity: 0, mrf: 0 })));
  assert.equal(identity.passes, 3);
});

Deno.test("identity and ID-MRF change as their gradients say", async () => {
  const { albedos, terms } = scene();
  for (const name of ["identity", "mrf"] as const) {
    const weights = { ...NONE, [name]: 1 };
    const { gradients } = valueAndGradients(tf, { albedos }, () => totalLoss(tf, terms(weights), weights));
    const slope = (await tf.norm(gradients.albedos!).data())[0]!;
    const direction = tf.div(gradients.albedos!, slope);
    const along = async (step: number) =>
      (await totalLoss(tf, terms(weights, tf.add(albedos, tf.mul(direction, step)) as Tensor4D), weights).data())[0]!;
    // The best matches of ID-MRF change along the way, so its steps are short.
    const step = name === "mrf" ? 0.001 : 0.01;
    const measured = (await along(step) - await along(-step)) / (2 * step);
    assert.ok(Math.abs(measured - slope) < 0.03 * slope, `${name}: ${measured} for ${slope}`);
  }
});

Deno.test("views are rendered in the light of the view whose albedo is picked, or each in its own", async () => {
  const { terms, views, albedos } = scene();
  const photometric = async (light: LossChoices["light"]) =>
    (await terms({ ...NONE, photometric: 1 }, albedos, { light }).photometric!.data())[0]!;
  const [picked, own] = [await photometric("picked"), await photometric("own")];
  for (const other of [0, 2]) views[other]!.shading.fill(0.1);
  assert.equal(await photometric("picked"), picked);
  assert.notEqual(await photometric("own"), own);
  for (const view of views) view.shading.set(views[1]!.shading);
  assert.equal(await photometric("own"), picked);
});

Deno.test("regularisation may draw to the template in place of the first guess", async () => {
  const { terms, views } = scene();
  const of = async (prior: LossChoices["prior"]) => {
    const maps = views.flatMap(({ albedo }) => [...albedo]);
    const albedo = tf.tensor4d(maps, [3, SIDE, SIDE, 3]);
    return (await terms({ ...NONE, regularisation: 1 }, albedo, { prior }).regularisation!.data())[0]!;
  };
  assert.ok(await of("template") < 1e-6);
  assert.ok(await of("guess") > 0.01);
});

Deno.test("symmetry looks at texels that were not seen, or at those that were", async () => {
  const { terms, views } = scene();
  const weights = { ...NONE, symmetry: 1 };
  const slopes = async (symmetry: LossChoices["symmetry"]) => {
    const albedos = tf.variable(tf.tensor4d(random(5, 9 * SIDE * SIDE), [3, SIDE, SIDE, 3]));
    const { gradients } = valueAndGradients(
      tf,
      { albedos },
      () => totalLoss(tf, terms(weights, albedos as Tensor4D, { symmetry }), weights),
    );
    return await gradients.albedos!.data();
  };
  const [unseen, seen] = [await slopes("unseen"), await slopes("seen")];
  const { visibility } = views[0]!;
  visibility.forEach((share, texel) => {
    assert.equal(unseen[3 * texel] === 0, share === 1, "what was seen stays where it is");
    assert.notEqual(seen[3 * texel], 0, "both sides are drawn to each other");
  });
});

Deno.test("ID-MRF looks at the face only", async () => {
  const { terms, known } = scene();
  const mrf = async () => (await terms({ ...NONE, mrf: 1 }).mrf!.data())[0]!;
  const before = await mrf();
  assert.ok(before < Math.log(36) + 2 * Math.log(9));
  for (const layer of known.inside) (layer as boolean[]).fill(false);
  assert.ok(await mrf() === 0);
});

Deno.test("what a made head's portrait did not show is in no loss of the photographs", async () => {
  const { albedos, terms, views } = scene();
  // The left half of each picture is trusted.
  const left = (i: number) => Math.floor(i / 3) % CROP < CROP / 2;
  const trusted = tf.tile(
    tf.tensor4d(Float32Array.from({ length: CROP * CROP }, (_, i) => left(3 * i) ? 1 : 0), [1, CROP, CROP, 1]),
    [3, 1, 1, 1],
  ) as Tensor4D;
  for (const name of ["photometric", "identity", "mrf"] as const) {
    const weights = { ...NONE, [name]: 1 };
    const { gradients } = valueAndGradients(
      tf,
      { albedos },
      () => totalLoss(tf, terms(weights, albedos as Tensor4D, { trusted }), weights),
    );
    const slopes = await gradients.albedos!.data();
    // Columns of texels from the middle on are shown by the right half of the picture alone.
    slopes.forEach((slope, i) => {
      if (Math.floor(i / 3) % SIDE >= SIDE / 2) assert.equal(slope, 0, `${name}, texel ${Math.floor(i / 3)}`);
    });
    assert.ok(slopes.some((slope) => slope !== 0), name);
  }
  const photometric = async () =>
    (await terms({ ...NONE, photometric: 1 }, albedos as Tensor4D, { trusted }).photometric!.data())[0]!;
  const before = await photometric();
  for (const { photograph } of views) photograph.forEach((_, i) => left(i) || (photograph[i] = 0));
  assert.equal(await photometric(), before);
});
