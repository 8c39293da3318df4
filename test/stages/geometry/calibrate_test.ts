/** Learning the mesh network's error from known truth and taking it off, as stages. */
import assert from "node:assert/strict";
import { meshError } from "../../../face/mesh_calibration.ts";
import type { Angles } from "../../../face/pose.ts";
import { decodeSafetensors, encodeSafetensors, safetensorsMetadata } from "../../../nets/safetensors.ts";
import { type Artifact, cast, sourceFolder } from "@ftim/pipeline";
import { calibrate } from "../../../stages/geometry/calibrate.ts";
import { correctMeshes } from "../../../stages/geometry/correct_mesh.ts";
import { readMesh } from "../../../stages/faces/geometry.ts";
import { asset } from "../../assets.ts";
import { CROP, dome, modelFile, posed, topology } from "../face_lab.ts";
import { type Scratch, withScratch } from "../scratch.ts";

const { triangles } = topology;
/** Crop pixels for one pixel of the frame, and the crop's shift. */
const CUT = { scale: 2, x: -30, y: 14 };
const PERSONS = ["anna", "ben", "cleo", "dora"];
const YAWS = [-60, -35, -5, 10, 40, 65];

/** Frames of four persons; what the network gets wrong in each. */
async function frames(
  { write }: Scratch,
  flaw: (person: number, yaw: number) => Float32Array,
  { persons = PERSONS } = {},
) {
  const truth: unknown[] = [];
  const exact = new Map<string, Float32Array>();
  for (const [p, person] of persons.entries()) {
    for (const [view, yaw] of YAWS.entries()) {
      const photograph = `captures/${p}/1_neutral/${view}`;
      const key = `${photograph}/0`;
      const vertices = posed(yaw, dome({ depth: 0.85 + 0.1 * p }));
      exact.set(key, vertices);
      // The frame's pixels are half as many as the crop's, and its depth has another origin.
      const inFrame = vertices.map((value, i) => [(value - CUT.x) / 2, (value - CUT.y) / 2, value / 2 + 7][i % 3]!);
      const seen = flaw(p, yaw);
      const angles: Angles = { yaw: 1.05 * yaw, pitch: 1, roll: 0 };
      const transform = { ...CUT, size: CROP, photograph: { width: CROP, height: CROP } };
      await write(`aligned/${key}.json`, JSON.stringify({ photograph, transform }));
      await write(`angles/${key}.json`, JSON.stringify(angles));
      await write(`meshes/${key}.safetensors`, file(seen, { score: { shape: [1], data: Float32Array.of(0.7) } }));
      await write(`truth/meshes/${photograph}.safetensors`, file(inFrame));
      truth.push({ key: photograph, hasFace: true, yaw, identity: `${p}`, expression: "1_neutral", persons: [person] });
    }
  }
  // From behind: the network sees a face in the hair.
  await write("aligned/captures/9/1_neutral/0/0.json", JSON.stringify({ photograph: "captures/9/1_neutral/0" }));
  await write("meshes/captures/9/1_neutral/0/0.safetensors", file(posed(0)));
  await write("angles/captures/9/1_neutral/0/0.json", JSON.stringify({ yaw: 0, pitch: 0, roll: 0 }));
  truth.push({ key: "captures/9/1_neutral/0", hasFace: false, yaw: 150, identity: "9", persons: ["anna"] });
  await write("truth/truth.json", JSON.stringify(truth));
  await write("model/model.safetensors", modelFile());
  await write("topology/facemeshcoords.ts", await asset("models/facemeshcoords.ts"));
  return exact;
}

function file(vertices: Float32Array, more = {}): Uint8Array {
  return encodeSafetensors({ vertices: { shape: [vertices.length / 3, 3], data: vertices }, ...more });
}

function stages({ folder }: Scratch, { known = true } = {}) {
  const from = <K extends string>(name: string, kind: K): Artifact<K> => cast(sourceFolder(`${folder}/${name}`), kind);
  const seen = { meshes: from("meshes", "meshes"), angles: from("angles", "angles") };
  const correction = calibrate({
    ...seen,
    crops: from("aligned", "aligned"),
    model: from("model", "model"),
    topology: from("topology", "assets"),
    ...(known ? { truth: from("truth", "truth") } : {}),
  });
  return { correction, meshes: correctMeshes({ ...seen, correction }) };
}

/** Turned heads come out turned too little. */
const tooFrontal = (person: number, yaw: number) => posed(0.75 * yaw, dome({ depth: 0.85 + 0.1 * person }));

Deno.test("calibrate learns that turned heads come out too frontal, and correct_mesh turns them", () =>
  withScratch(async (scratch) => {
    const exact = await frames(scratch, tooFrontal);
    const { trees } = await scratch.run(stages(scratch));
    const { bins, samples, used } = await trees.correction.json<{
      samples: number;
      used: boolean;
      bins: { faces: number; before: { all: number }; after: { all: number } }[];
    }>("calibration.json");
    assert.deepEqual([samples, used, bins.map(({ faces }) => faces)], [24, true, [8, 8, 8]]);
    for (const bin of bins.slice(1)) {
      assert.ok(bin.before.all > 5 && bin.after.all < 0.4 * bin.before.all, JSON.stringify(bin));
    }
    const metadata = safetensorsMetadata(await trees.correction.bytes("correction.safetensors"));
    assert.equal(metadata.samples, "24");
    assert.ok(Number(metadata.after) < 0.4 * Number(metadata.before));
    for (const [key, truth] of exact) {
      const yaw = YAWS[Number(key.split("/")[3])]!;
      if (Math.abs(yaw) < 20) continue;
      const error = (vertices: Float32Array) => meshError(vertices, { truth, triangles }).all;
      const raw = error(tooFrontal(Number(key.split("/")[1]), yaw));
      const share = error(await readMesh(trees.meshes, key)) / raw;
      assert.ok(share < 0.5, `${key}: ${share}`);
      const { score } = decodeSafetensors(await trees.meshes.bytes(`${key}.safetensors`));
      assert.deepEqual([...score!.data], [Math.fround(0.7)]);
    }
  }));

Deno.test("one person's truth gives no correction, for it cannot be judged on others", () =>
  withScratch(async (scratch) => {
    await frames(scratch, tooFrontal, { persons: ["anna"] });
    const { trees } = await scratch.run(stages(scratch));
    assert.deepEqual(await trees.correction.json("calibration.json"), { ridge: 3, samples: 0, used: false, bins: [] });
  }));

Deno.test("without truth, and where learning from others does not help, every mesh stays as it is", () =>
  withScratch(async (scratch) => {
    // Each person's face is too large or too small by a share of its own, which no other person tells.
    await frames(scratch, (person, yaw) => {
      const share = [0.8, 1.22, 0.85, 1.16][person]!;
      return posed(yaw, dome({ depth: 0.85 + 0.1 * person }).map((value, i) => i % 3 === 1 ? share * value : value));
    });
    for (const known of [false, true]) {
      const { trees } = await scratch.run(stages(scratch, { known }));
      assert.equal((await trees.correction.json<{ used: boolean }>("calibration.json")).used, false);
      assert.equal(trees.meshes.paths.length, 25);
      for (const path of trees.meshes.paths) {
        assert.deepEqual(await trees.meshes.bytes(path), await Deno.readFile(`${scratch.folder}/meshes/${path}`));
      }
    }
  }));
