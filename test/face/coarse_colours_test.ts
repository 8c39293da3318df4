import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { coarseColours } from "../../face/coarse_colours.ts";
import { uniform } from "../../nets/random.ts";

const tf = await openTfjs();
const SIZE = 12;
const FACES = 3;

function maps(seed: number) {
  const random = uniform(seed);
  const of = (channels: number, value: () => number) =>
    Float32Array.from({ length: FACES * SIZE * SIZE * channels }, value);
  return {
    guess: of(3, random),
    truth: of(3, random),
    unseen: of(1, () => [0, 0.25, 1][Math.floor(3 * random())]!),
    known: of(1, () => Number(random() < 0.6)),
  };
}

async function correct(given: ReturnType<typeof maps>, radius: number): Promise<Float32Array> {
  const upload = (values: Float32Array) => tf.tensor4d(values, [FACES, SIZE, SIZE, values.length / FACES / SIZE ** 2]);
  const { guess, truth, unseen, known } = given;
  const [a, b, c, d] = [upload(guess), upload(truth), upload(unseen), upload(known)];
  return await coarseColours(tf, { guess: a, truth: b, unseen: c, known: d }, { radius }).data<"float32">();
}

/** The definition, texel by texel; beyond the border the border's texels repeat. */
function byDefinition({ guess, truth, unseen, known }: ReturnType<typeof maps>, radius: number): Float32Array {
  const inside = (i: number) => Math.min(SIZE - 1, Math.max(0, i));
  return guess.map((value, at) => {
    const [texel, channel] = [Math.floor(at / 3), at % 3];
    const [face, y, x] = [Math.floor(texel / SIZE ** 2), Math.floor(texel / SIZE) % SIZE, texel % SIZE];
    let [sum, weight] = [0, 0];
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        const other = (face * SIZE + inside(y + dy)) * SIZE + inside(x + dx);
        const counted = unseen[other]! * known[other]!;
        sum += counted * (truth[3 * other + channel]! - guess[3 * other + channel]!);
        weight += counted;
      }
    }
    return value + (weight > 0 ? unseen[texel]! * sum / weight : 0);
  });
}

Deno.test("coarseColours() takes off the mean error of a window's unseen texels whose truth is known", async () => {
  for (const radius of [1, 2, 7]) {
    const given = maps(radius);
    const [found, expected] = [await correct(given, radius), byDefinition(given, radius)];
    const worst = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
    assert.ok(worst < 2e-5, `radius ${radius}: ${worst}`);
  }
});

Deno.test("coarseColours() finds an even error whole; what was seen, and what nothing is known of, stays", async () => {
  const given = maps(5);
  given.truth = given.guess.map((value) => value + 0.1);
  given.known.fill(0, 2 * SIZE * SIZE);
  const found = await correct(given, 6);
  for (const [i, value] of found.entries()) {
    const texel = Math.floor(i / 3);
    const gained = texel < 2 * SIZE * SIZE ? 0.1 * given.unseen[texel]! : 0;
    assert.ok(Math.abs(value - given.guess[i]! - gained) < 2e-5, `value ${i}`);
  }
});
