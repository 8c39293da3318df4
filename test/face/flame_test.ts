import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { uploadFlame } from "../../face/flame.ts";
import { flameCpu } from "../../face/flame_cpu.ts";
import { bytesSource } from "../../nets/files/source.ts";
import { readFlame } from "../../nets/flame_file.ts";
import { readFlameLandmarks } from "../../nets/flame_landmarks_file.ts";
import { encodeSafetensors } from "../../nets/safetensors.ts";
import { relativeError } from "../gpu/arrays.ts";
import { numbers } from "../golden/drawn.ts";
import { drawnComponents, drawnFlame } from "../golden/flame_drawn.ts";
import golden from "../golden/flame.json" with { type: "json" };

const tf = await openTfjs();
const model = await readFlame(bytesSource(encodeSafetensors(drawnFlame()), "flame"));
const embedding = await Deno.readFile(new URL("../golden/files/landmark_embedding.npy", import.meta.url));
const landmarks = await readFlameLandmarks(bytesSource(embedding), { triangles: model.triangles.length / 3 });
const COUNT = golden.poses.length;
const components = drawnComponents(COUNT);
const flame = uploadFlame(tf, model, landmarks);

/** Some vertices of one head as the golden file has them. */
function some(vertices: ArrayLike<number>): Float32Array {
  const kept = [];
  for (let i = 0; i < vertices.length; i += 3 * golden.vertices.every) {
    kept.push(vertices[i]!, vertices[i + 1]!, vertices[i + 2]!);
  }
  return Float32Array.from(kept);
}

const head = (i: number) =>
  flameCpu(model, landmarks, {
    components: components.subarray(150 * i, 150 * (i + 1)),
    pose: golden.poses[i]!,
  });

Deno.test("flameCpu() gives the vertices and landmarks of its authors' module", () => {
  for (let i = 0; i < COUNT; i++) {
    const found = head(i);
    assert.ok(relativeError(some(found.vertices), numbers(golden.vertices.values[i]!)) < 1e-5, `vertices of head ${i}`);
    assert.ok(
      relativeError(Float32Array.from(found.landmarks), numbers(golden.landmarks[i]!)) < 1e-5,
      `landmarks of head ${i}`,
    );
    const fixed = Float32Array.from(found.fixedLandmarks);
    assert.ok(relativeError(fixed, numbers(golden.fixedLandmarks[i]!)) < 1e-5, `fixed landmarks of head ${i}`);
  }
});

Deno.test("FLAME on the device gives what plain loops give, a head alone to the bit, and leaks nothing", async () => {
  const before = tf.memory().numTensors;
  const [code, pose] = [tf.tensor2d(components, [COUNT, 150]), tf.tensor2d(golden.poses)];
  const heads = flame.heads(code, pose);
  assert.deepEqual(heads.vertices.shape, [COUNT, 5023, 3]);
  assert.deepEqual(heads.landmarks.shape, [COUNT, 68, 3]);
  const [vertices, moving, fixed] = [
    await heads.vertices.data<"float32">(),
    await heads.landmarks.data<"float32">(),
    await heads.fixedLandmarks.data<"float32">(),
  ];
  for (let i = 0; i < COUNT; i++) {
    const expected = head(i);
    const part = (values: Float32Array, size: number) => values.slice(size * i, size * (i + 1));
    assert.ok(relativeError(part(vertices, 3 * 5023), expected.vertices) < 1e-5, `vertices of head ${i}`);
    assert.ok(relativeError(part(moving, 3 * 68), expected.landmarks) < 1e-5, `landmarks of head ${i}`);
    assert.ok(relativeError(part(fixed, 3 * 68), expected.fixedLandmarks) < 1e-5, `fixed landmarks of head ${i}`);
  }
  const rows = (x: typeof code) => tf.slice(x, [1, 0], [1, -1]);
  const [one, turn] = [rows(code), rows(pose)];
  const alone = flame.heads(one, turn);
  assert.deepEqual(await alone.vertices.data(), vertices.slice(3 * 5023, 6 * 5023));
  tf.dispose([heads, alone, one, turn, code, pose]);
  assert.equal(tf.memory().numTensors, before);
  await (await openGpu()).assertHealthy("FLAME");
});

Deno.test("the contour follows the head's turn and stops at 39 degrees", () => {
  const contourAt = (yaw: number) => {
    const pose = [0, yaw * Math.PI / 180, 0, 0, 0, 0];
    return flameCpu(model, landmarks, { components: new Float32Array(150), pose }).landmarks.slice(0, 51);
  };
  const triangles = (row: number) => [...landmarks.contours.triangles.slice(17 * row, 17 * (row + 1))];
  assert.notDeepEqual(triangles(0), triangles(78));
  const near = (a: number, b: number) => relativeError(Float32Array.from(contourAt(a)), contourAt(b)) < 0.03;
  assert.ok(near(50, 50.4) && near(-50, -50.4), "beyond 39 degrees the contour stays");
  assert.ok(!near(20, 21.2) && !near(-20, -21.2), "within 39 degrees it moves on");
});

Deno.test("FLAME refuses codes of another length", () => {
  const short = { components: new Float32Array(149), pose: golden.poses[0]! };
  assert.throws(() => flameCpu(model, landmarks, short), /takes 150 coefficients and 6 values of pose, not 149 and 6/);
  const [code, pose] = [tf.zeros([2, 150]), tf.zeros([1, 6])];
  assert.throws(() => flame.heads(code as never, pose as never), /poses \[2, 6\], not \[2,150\] and \[1,6\]/);
  tf.dispose([code, pose]);
});
