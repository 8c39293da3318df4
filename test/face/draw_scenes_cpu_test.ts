import assert from "node:assert/strict";
import { headShell } from "../../face/head_shell.ts";
import { createImage } from "../../face/image.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { drawScene } from "../../face/draw_scenes_cpu.ts";
import { gridHead } from "./head.ts";

const SIDE = 96;
const { topology, model } = gridHead(21, { nose: 0 });

function plain(colour: readonly [number, number, number], side: number) {
  const image = createImage({ width: side, height: side });
  for (let i = 0; i < image.data.length; i++) image.data[i] = colour[i % 3]!;
  return image;
}

/** A red face and green hair before a blue wall, at some yaw. */
function draw(yaw: number) {
  const shell = headShell(model, { triangles: topology.triangles, photographed: poseOf(0, model) });
  return drawScene({
    face: poseOf(yaw, model),
    topology,
    texture: plain([1, 0, 0], 32),
    shell: { ...shell, vertices: poseOf(yaw, shell.vertices) },
    photograph: plain([0, 0.8, 0], SIDE),
    tint: [1, 0.5, 1],
    background: plain([0, 0, 1], SIDE),
  });
}

function poseOf(yaw: number, points: Float32Array): Float32Array {
  const rotation = rotationFromAngles({ yaw, pitch: 0, roll: 0 });
  return poseToCrop({ scale: 24, rotation, translation: Float64Array.of(48, -48, 0) }, points);
}

const share = (image: { data: Float32Array }, channel: number) =>
  image.data.reduce((sum, value, i) => sum + (i % 3 === channel ? value : 0), 0) / SIDE ** 2;

Deno.test("drawScene() shows the face from the front, the shell from behind, the background around", () => {
  const [front, side, back] = [draw(0), draw(70), draw(180)];
  const middle = 3 * (SIDE / 2 * SIDE + SIDE / 2);
  assert.deepEqual([...front.data.subarray(middle, middle + 3)], [1, 0, 0]);
  const hair = [...back.data.subarray(middle, middle + 3)];
  assert.ok(hair[0] === 0 && Math.abs(hair[1]! - 0.4) < 1e-6 && hair[2] === 0, `${hair}`);
  assert.deepEqual([...front.data.subarray(0, 3)], [0, 0, 1]);
  assert.ok(share(front, 0) > share(side, 0) && share(side, 0) > share(back, 0));
  assert.ok(share(side, 1) > share(front, 1));
});

Deno.test("drawScene() covers every pixel once: the shares of face, hair and wall sum to one", () => {
  const image = draw(30);
  for (let i = 0; i < image.data.length; i += 3) {
    const sum = image.data[i]! + image.data[i + 1]! / 0.4 + image.data[i + 2]!;
    assert.ok(Math.abs(sum - 1) < 1e-5, `pixel ${i / 3}: ${sum}`);
  }
});

Deno.test("headShell() begins at the outline of the face and is closed at the back", () => {
  const shell = headShell(model, { triangles: topology.triangles, photographed: poseOf(0, model) });
  const edges = new Map<string, number>();
  for (let t = 0; t < shell.triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const pair = [shell.triangles[t + k]!, shell.triangles[t + (k + 1) % 3]!].sort((a, b) => a - b).join();
      edges.set(pair, (edges.get(pair) ?? 0) + 1);
    }
  }
  const open = [...edges].filter(([, count]) => count === 1).flatMap(([pair]) => pair.split(",").map(Number));
  const ring = Math.max(...open) + 1;
  assert.equal(open.length / 2, ring, "the only border is the first ring");
  for (let v = 0; v < ring; v++) {
    const near = Array.from(
      { length: topology.vertexCount },
      (_, i) => Math.hypot(model[3 * i]! - shell.vertices[3 * v]!, model[3 * i + 1]! - shell.vertices[3 * v + 1]!),
    );
    assert.ok(Math.min(...near) < 1e-5);
  }
});
