import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { createImage } from "../../../../face/image.ts";
import { flipYZ } from "../../../../face/pose.ts";
import { shapeOf } from "../../../../face/morphable.ts";
import { drawScene } from "../../../../face/draw_scenes_cpu.ts";
import { shadingMap } from "../../../../face/normal_maps_cpu.ts";
import { uvTables } from "../../../../face/uv_tables.ts";
import { decodePhotograph } from "../../../../stages/faces/photograph.ts";
import { makeCaptures } from "../../../../stages/synthetic/parts/synthetic_captures.ts";
import { castHeads, type Source } from "../../../../stages/synthetic/parts/synthetic_heads.ts";
import type { CapturePlan } from "../../../../stages/synthetic/parts/synthetic_plan.ts";
import { cameraFor, project } from "../../../../stages/synthetic/parts/synthetic_studio.ts";
import { light, morphable, posed, SIZE, smoothAlbedo, topology } from "../../face_lab.ts";

const tf = await openTfjs();
const side = 96;
const model = morphable();

function source(person: string, seed: number): Source {
  const data = Uint8Array.from({ length: 3 * 224 * 224 }, (_, i) => (i * (seed + 3)) % 251);
  return {
    key: `${person}/0`,
    person,
    photograph: { width: 224, height: 224, data },
    vertices: posed(0),
    identity: Float32Array.from(model.identitySigma, (_, k) => 0.3 * (seed - k)),
    albedo: smoothAlbedo(seed),
    colour: [0.5, 0.4, 0.3],
  };
}

const sources = [source("a", 1), source("b", 2)];
const cell = createImage({ width: 9, height: 9 }, new Float32Array(243).fill(0.4));
const options = {
  sources,
  model,
  topology,
  cells: new Map(sources.map((one) => [one, cell])),
  decoys: [{ width: side, height: side, data: new Uint8Array(3 * side * side).fill(90) }],
  side,
};

function plan(id: number, persons: string[], share: number): CapturePlan {
  const head = (yaw: number) => ({ kind: "head" as const, angles: { yaw, pitch: 3, roll: -2 } });
  return {
    id,
    expression: "1_neutral",
    head: { persons, share, jitter: [...model.identitySigma].map(() => 0) },
    code: [...model.expressionSigma].map(() => 0.2),
    light: light(0.3 * id),
    cover: null,
    offset: [0.02, -0.01],
    photograph: 0,
    frames: id === 2 ? [{ kind: "decoy", decoy: 0 }] : [head(10), { kind: "decoy", decoy: 0 }, head(-60)],
  };
}

const plans = [plan(1, ["a"], 1), plan(2, ["b"], 1), plan(3, ["a", "b"], 0.4), plan(4, ["b"], 1), plan(5, ["a"], 1)];

/** The files of some captures. */
async function made(captures: readonly CapturePlan[]): Promise<Map<string, string | Uint8Array>> {
  const files = new Map<string, string | Uint8Array>();
  const out = {
    write: (path: string, content: string | Uint8Array) => void files.set(path, content),
    json: (path: string, value: unknown) => void files.set(path, JSON.stringify(value)),
  };
  const before = tf.memory().numTensors;
  await makeCaptures(tf, captures, { ...options, out, progress: () => {} });
  assert.equal(tf.memory().numTensors, before, "no tensor stays behind");
  return files;
}

// Tables of the topology go to the device once.
uvTables(tf, topology, SIZE);

Deno.test("makeCaptures() draws what the reference draws, frame by frame", async () => {
  const files = await made(plans);
  const [one] = plans as [CapturePlan];
  const { heads: [head], albedos, textures } = castHeads(tf, [one], options);
  const [texture, albedo] = await Promise.all([textures.data<"float32">(), albedos.data<"float32">()]);
  tf.dispose([albedos, textures]);
  assert.deepEqual(albedo, sources[0]!.albedo);
  const unit = shapeOf(model, { identity: sources[0]!.identity, expression: Float32Array.from(one.code) });
  const shading = shadingMap(flipYZ(unit), { light: one.light, topology, size: SIZE });
  for (const [i, value] of texture.entries()) {
    assert.ok(Math.abs(value - Math.min(1, Math.max(0, albedo[i]! * shading[i]!))) < 1e-5);
  }
  const sum = [0, 0, 0, 0];
  for (let i = 0; i < texture.length; i += 3) {
    if (texture[i]! + texture[i + 1]! + texture[i + 2]! > 0) sum[3]!++;
    for (let c = 0; c < 3; c++) sum[c]! += texture[i + c]!;
  }
  const tint = [0, 1, 2].map((c) => Math.min(1.6, Math.max(0.5, sum[c]! / sum[3]! / sources[0]!.colour[c as 0]!)));
  const frame = one.frames[2] as Extract<CapturePlan["frames"][number], { kind: "head" }>;
  const camera = cameraFor(frame.angles, { side, offset: one.offset });
  const { width, height, data } = sources[0]!.photograph;
  const expected = drawScene({
    face: project(head!.shape, camera),
    topology,
    texture: createImage({ width: SIZE, height: SIZE }, texture),
    shell: { ...head!.shell, vertices: project(head!.shell.vertices, camera) },
    photograph: { width, height, data: Float32Array.from(data, (byte) => byte / 255) },
    tint: tint as [number, number, number],
    background: createImage({ width: side, height: side }, new Float32Array(3 * side * side).fill(0.4)),
  });
  const jpeg = files.get("captures/1/1_neutral/2.jpg") as Uint8Array;
  const found = (await decodePhotograph(jpeg)).image.data;
  const differences = found.map((value, i) => Math.abs(value - expected.data[i]!));
  const mean = differences.reduce((all, value) => all + value, 0) / differences.length;
  assert.ok(mean < 0.03, `what JPEG leaves of noise differs by ${mean}`);
});

Deno.test("makeCaptures() writes the same files for a capture alone as beside others, and in another run", async () => {
  const files = await made(plans);
  assert.equal([...files.keys()].filter((path) => path.endsWith(".jpg")).length, 13);
  assert.equal([...files.keys()].filter((path) => path.endsWith(".safetensors")).length, 8);
  assert.deepEqual(await made(plans), files);
  for (const [path, content] of await made(plans.slice(2, 3))) assert.deepEqual(content, files.get(path), path);
});

Deno.test("makeCaptures() names the capture whose head cannot be drawn", async () => {
  const broken = { ...plans[3]!, offset: [NaN, 0] as [number, number] };
  const out = { write: () => {}, json: () => {} };
  const before = tf.memory().numTensors;
  await assert.rejects(
    makeCaptures(tf, [plans[0]!, broken], { ...options, out, progress: () => {} }),
    /captures\/4\/1_neutral: cannot be drawn: Frame 0/,
  );
  assert.equal(tf.memory().numTensors, before);
});
