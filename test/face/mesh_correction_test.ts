import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { fitCorrections } from "../../face/fit_corrections.ts";
import { fitCorrection } from "../../face/fit_corrections_cpu.ts";
import { correctedByOthers, errorsByYaw, meshError } from "../../face/mesh_calibration.ts";
import {
  applyCorrection,
  decodeCorrection,
  encodeCorrection,
  FEATURES,
  type MeshCorrection,
  type MeshSample,
  noCorrection,
} from "../../face/mesh_correction.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { mirrorVertices } from "../../face/topology.ts";
import { gridHead, maxDifference, randomStream } from "./head.ts";

const tf = await openTfjs();
const { topology, model } = gridHead(9);
const { mirror, triangles } = topology;
// Symmetric to the bit, as a morphable model's mean is.
const twin = mirrorVertices(model, { mirror });
const mean = model.map((value, i) => (value + twin[i]!) / 2);
const options = { mean, mirror };

/** Features whose sign changes when the face is mirrored: yaw, yaw³, pitch·yaw and their like. */
const ODD = [1, 3, 5, 7, 9, 11, 13, 15];

/**
 * An error that a network could repeat on every face and its mirror image, `size` in model units; it moves no face as a
 * whole.
 */
function planted(seed: number, size: number): MeshCorrection {
  const next = randomStream(seed);
  const coefficients = new Float32Array(FEATURES * mean.length);
  for (let k = 0; k < FEATURES; k++) {
    const one = Float32Array.from(mean, () => size * (next() - 0.5));
    const other = mirrorVertices(one, { mirror });
    const sign = ODD.includes(k) ? -1 : 1;
    const both = one.map((value, i) => (value + sign * other[i]!) / 2);
    const centre = [0, 1, 2].map((axis) =>
      3 * both.reduce((sum, v, i) => i % 3 === axis ? sum + v : sum, 0) / both.length
    );
    coefficients.set(both.map((value, i) => value - centre[i % 3]!), k * mean.length);
  }
  return { mean, coefficients };
}

/** Posed faces, each of a shape of its own, as the networks see them. */
function faces(count: number, { seed = 1, most = 60 }: { seed?: number; most?: number } = {}) {
  const next = randomStream(seed);
  const between = (most: number) => most * (2 * next() - 1);
  return Array.from({ length: count }, () => {
    const angles = { yaw: between(most), pitch: between(20), roll: between(30) };
    const shape = mean.map((value) => value + between(0.02));
    const translation = Float64Array.of(100 + between(20), -110 + between(20), between(10));
    const pose = { scale: 60 + between(10), rotation: rotationFromAngles(angles), translation };
    const told = { yaw: angles.yaw + between(20), pitch: angles.pitch + between(10), roll: angles.roll + between(10) };
    return { vertices: poseToCrop(pose, shape), angles: told };
  });
}

const withTruth = (correction: MeshCorrection, seen: ReturnType<typeof faces>): MeshSample[] =>
  seen.map((face) => ({ ...face, truth: applyCorrection(correction, face) }));

/** Difference but for a shift in depth, whose origin is free. */
function difference(a: Float32Array, b: Float32Array): number {
  const depth = 3 * a.reduce((sum, value, i) => i % 3 === 2 ? sum + value - b[i]! : sum, 0) / a.length;
  return maxDifference(a.map((value, i) => i % 3 === 2 ? value - depth : value), b);
}

Deno.test("a planted linear error is recovered exactly, on faces that were not learned from", () => {
  const truth = planted(5, 0.2);
  const learned = fitCorrection(withTruth(truth, faces(60)), { ...options, ridge: 1e-9 });
  for (const { truth: expected, ...seen } of withTruth(truth, faces(10, { seed: 2 }))) {
    assert.ok(difference(seen.vertices, expected) > 1, "the error is not small");
    assert.ok(difference(applyCorrection(learned, seen), expected) < 5e-3);
  }
});

Deno.test("a face that the network lost does not spoil the correction", () => {
  const truth = planted(5, 0.2);
  const samples = withTruth(truth, faces(60)).map((sample, i) =>
    i % 12 === 0 ? { ...sample, truth: sample.truth.map((value, k) => k % 3 === 0 ? value + 40 : value) } : sample
  );
  const learned = fitCorrection(samples, { ...options, ridge: 1e-9 });
  for (const { truth: expected, ...seen } of withTruth(truth, faces(10, { seed: 2 }))) {
    assert.ok(difference(applyCorrection(learned, seen), expected) < 0.1);
  }
});

Deno.test("a mirrored face is corrected to the mirrored result", () => {
  // Learned from faces that all look to one side, with errors of no symmetry.
  const next = randomStream(9);
  const samples = faces(30).map((face) => ({ ...face, truth: face.vertices.map((value) => value + 6 * next()) }));
  const learned = fitCorrection(samples, options);
  for (const seen of faces(5, { seed: 3 })) {
    const { yaw, pitch, roll } = seen.angles;
    const mirrored = {
      vertices: mirrorVertices(seen.vertices, { mirror, about: 112 }),
      angles: { yaw: -yaw, pitch, roll: -roll },
    };
    const expected = mirrorVertices(applyCorrection(learned, seen), { mirror, about: 112 });
    assert.ok(maxDifference(expected, mirrored.vertices) > 0.5, "something was corrected");
    assert.ok(maxDifference(applyCorrection(learned, mirrored), expected) < 1e-3);
  }
});

Deno.test("where a face is and how large does not matter", () => {
  const learned = planted(5, 0.2);
  const moved = (vertices: Float32Array) => vertices.map((value, i) => 1.5 * value + [30, -20, 4][i % 3]!);
  for (const seen of faces(5)) {
    const expected = moved(applyCorrection(learned, seen));
    assert.ok(maxDifference(applyCorrection(learned, { ...seen, vertices: moved(seen.vertices) }), expected) < 2e-3);
  }
});

Deno.test("no correction leaves a mesh as it is, to the bit", () => {
  for (const seen of faces(5)) assert.deepEqual(applyCorrection(noCorrection(mean), seen), seen.vertices);
});

Deno.test("what does not fit is refused", () => {
  const [seen] = faces(1);
  const short = { ...seen!, vertices: seen!.vertices.subarray(3) };
  assert.throws(() => applyCorrection(noCorrection(mean), short), /the mesh has 80/);
  assert.throws(() => fitCorrection([{ ...seen!, truth: seen!.vertices.subarray(3) }], options), /true mesh has 80/);
  assert.throws(() => fitCorrection([], options), RangeError);
  const arrays = encodeCorrection(planted(1, 0.1));
  assert.deepEqual(decodeCorrection(arrays), planted(1, 0.1));
  assert.throws(() => decodeCorrection({ mean: arrays.mean }), /no float32 array "coefficients"/);
  const cut = { data: arrays.coefficients.data.subarray(3) };
  assert.throws(() => decodeCorrection({ ...arrays, coefficients: cut }), TypeError);
});

/** Faces of persons whose truth differs by what `error` says of each person. */
function calibration(error: (person: number) => MeshCorrection) {
  return Array.from({ length: 8 }, (_, person) =>
    withTruth(error(person), faces(8, { seed: 40 + person }))
      .map((sample, i) => ({ ...sample, persons: [`${person}`], yaw: [5, 30, 60][i % 3]! }))).flat();
}

function errors(samples: ReturnType<typeof calibration>, meshes: readonly Float32Array[]): number {
  return samples.reduce((sum, { truth }, i) => sum + meshError(meshes[i]!, { truth, triangles }).all, 0) /
    samples.length;
}

Deno.test("an error of one person's own is no gain on others; one that all share is", async () => {
  const raw = (samples: ReturnType<typeof calibration>) => errors(samples, samples.map(({ vertices }) => vertices));
  const own = calibration((person) => planted(60 + person, 0.15));
  const learned = fitCorrection(own, options);
  const seen = errors(own, own.map((sample) => applyCorrection(learned, sample)));
  assert.ok(seen < 0.95 * raw(own), `on persons that it has seen it seems to help: ${seen} of ${raw(own)}`);
  const others = errors(own, await correctedByOthers(tf, own, options));
  assert.ok(others > raw(own), `${others} of ${raw(own)}`);

  const shared = calibration(() => planted(7, 0.15));
  assert.ok(errors(shared, await correctedByOthers(tf, shared, options)) < 0.5 * raw(shared));
});

Deno.test("correctedByOthers() leaves out everyone of a blend, and refuses where nobody is left", async () => {
  const [first, second] = [planted(1, 0.3), planted(2, 0.3)];
  const samples = [
    ...withTruth(first, faces(12)).map((sample) => ({ ...sample, persons: ["a"], yaw: 0 })),
    ...withTruth(second, faces(12, { seed: 2 })).map((sample) => ({ ...sample, persons: ["b"], yaw: 0 })),
    ...withTruth(first, faces(3, { seed: 3 })).map((sample) => ({ ...sample, persons: ["a", "c"], yaw: 0 })),
  ];
  const blend = (await correctedByOthers(tf, samples, options)).slice(-3);
  const onlyB = fitCorrection(samples.filter(({ persons }) => persons[0] === "b"), options);
  blend.forEach((mesh, i) => assert.ok(maxDifference(mesh, applyCorrection(onlyB, samples[24 + i]!)) < 1e-3));
  await assert.rejects(correctedByOthers(tf, samples.slice(0, 12), options), RangeError);
});

for (const [count, choices] of [[9, 1], [40, 3], [12, 65]] as const) {
  Deno.test(`fitCorrections() is fitCorrection(): ${choices} choices of ${count} samples`, async () => {
    const samples = withTruth(planted(3, 0.2), faces(count, { seed: 5 }));
    // The networks have lost one face.
    samples[1] = { ...samples[1]!, truth: samples[1]!.truth.map((value, i) => value + (i % 7) * 4) };
    const chosen = Array.from(
      { length: choices },
      (_, c) => [...samples.keys()].filter((i) => choices === 1 || (i + c) % 4),
    );
    const before = tf.memory().numTensors;
    const found = await fitCorrections(tf, samples, { ...options, choices: chosen });
    assert.equal(tf.memory().numTensors, before, "no tensor stays behind");
    for (const [c, own] of chosen.entries()) {
      const { coefficients } = fitCorrection(own.map((i) => samples[i]!), options);
      const size = coefficients.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const difference = maxDifference(found[c]!.coefficients, coefficients);
      assert.ok(difference < 1e-5 * size, `choice ${c}: ${difference} of ${size}`);
    }
    const again = await fitCorrections(tf, samples, { ...options, choices: chosen });
    assert.deepEqual(again, found, "the same bits in another run");
    const alone = await fitCorrections(tf, samples, { ...options, choices: chosen.slice(-1) });
    assert.deepEqual(alone[0], found.at(-1), "and alone");
  });
}

Deno.test("fitCorrections() names the sample that is not finite, and refuses a choice of none", async () => {
  const samples = withTruth(planted(3, 0.2), faces(5));
  const broken = samples.with(2, { ...samples[2]!, truth: samples[2]!.truth.with(7, NaN) });
  await assert.rejects(fitCorrections(tf, broken, { ...options, choices: [[0, 2]] }), /Sample 2/);
  await assert.rejects(fitCorrections(tf, samples, { ...options, choices: [[0], []] }), RangeError);
  assert.deepEqual(await fitCorrections(tf, samples, { ...options, choices: [] }), []);
});

Deno.test("meshError() is the distance in the image; errorsByYaw() sorts by the size of yaw", () => {
  const [{ vertices: truth }] = faces(1) as [ReturnType<typeof faces>[number]];
  const moved = truth.map((value, i) => value + [3, 4, 100][i % 3]!);
  const { all, facing } = meshError(moved, { truth, triangles });
  assert.ok(Math.abs(all - 5) < 1e-4 && Math.abs(facing - 5) < 1e-4);
  const error = (all: number) => ({ all, facing: all / 2 });
  const bins = errorsByYaw([-50, 60, 3].map((yaw, i) => ({ yaw, before: error(i), after: error(i + 1) })));
  assert.deepEqual(bins, [
    { yaw: [0, 20], faces: 1, before: error(2), after: error(3) },
    { yaw: [45, 91], faces: 2, before: error(0.5), after: error(1.5) },
  ]);
});
