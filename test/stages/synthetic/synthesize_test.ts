import assert from "node:assert/strict";
import { headAngles } from "../../../stages/data/parts/facescape.ts";
import { planCaptures } from "../../../stages/synthetic/parts/synthetic_plan.ts";
import { cameraFor, posedMesh, project } from "../../../stages/synthetic/parts/synthetic_studio.ts";

const options = {
  persons: ["a", "b", "c"],
  identities: 8,
  expressions: 2,
  identityComponents: 4,
  expressionComponents: 3,
  decoys: 2,
  seed: 5,
};

Deno.test("planCaptures() is a function of its seed", () => {
  assert.deepEqual(planCaptures(options), planCaptures(options));
  assert.notDeepEqual(planCaptures(options), planCaptures({ ...options, seed: 6 }));
});

Deno.test("planCaptures() gives every capture a view in each of the paper's yaw bins", () => {
  const captures = planCaptures(options);
  assert.equal(captures.length, 16);
  for (const { frames } of captures) {
    const yaws = frames.flatMap((frame) => frame.kind === "head" ? [frame.angles.yaw] : []);
    for (const [low, high] of [[-90, -10], [-10, 10], [10, 90]] as const) {
      assert.ok(yaws.some((yaw) => yaw >= low && yaw <= high));
    }
  }
  const all = captures.flatMap(({ frames }) => frames);
  const decoys = all.flatMap((frame) => frame.kind === "decoy" ? [frame.decoy] : []);
  assert.deepEqual([...new Set(decoys)].sort(), [0, 1], "each decoy is shown");
  assert.ok(all.some((frame) => frame.kind === "head" && Math.abs(frame.angles.yaw) > 90), "frames from behind");
});

Deno.test("planCaptures() casts each person alone first, then blends two different ones, in all their expressions", () => {
  const captures = planCaptures(options);
  for (const [i, { id, expression, head, code, photograph }] of captures.entries()) {
    const [person, second] = [Math.floor(i / 2), i % 2];
    assert.deepEqual([id, expression, photograph], [person + 1, ["1_neutral", "2_drawn"][second], second]);
    assert.equal(head, captures[2 * person]!.head, "the expressions of one head");
    assert.equal(head.jitter.length, 4);
    assert.equal(code.length, 3);
    assert.equal(code.some((value) => value !== 0), second === 1);
    if (person < 3) {
      assert.deepEqual(head, { persons: [options.persons[person]], share: 1, jitter: [0, 0, 0, 0] });
    } else {
      assert.equal(new Set(head.persons).size, 2);
      assert.ok(head.persons.every((name) => options.persons.includes(name)));
      assert.ok(head.share >= 0.35 && head.share <= 0.65);
      assert.ok(head.jitter.every((value) => value !== 0));
    }
  }
});

Deno.test("the studio's camera shows the head at the angles that it was asked for", () => {
  for (
    const angles of [
      { yaw: 35, pitch: 8, roll: -4 },
      { yaw: -70, pitch: -10, roll: 6 },
      { yaw: 0, pitch: 0, roll: 12 },
    ]
  ) {
    const camera = cameraFor(angles, { side: 448, offset: [0, 0] });
    const found = headAngles(camera);
    for (const name of ["yaw", "pitch", "roll"] as const) assert.ok(Math.abs(found[name] - angles[name]) < 1e-6);
    // The tip of the nose is nearer than the centre of the head and lies on the side that yaw says, and above it or below as pitch says.
    const [cx, cy, centre, x, y, nose] = project(Float32Array.of(0, 0, 0, 0, 0, 80), camera);
    assert.ok(Math.abs(cx! - 224) < 1e-3 && Math.abs(cy! - 224) < 1e-3);
    assert.equal(Math.sign(Math.round(x! - 224)), Math.sign(angles.yaw));
    assert.equal(Math.sign(Math.round(224 - y!)), Math.sign(angles.pitch));
    assert.ok(nose! < centre!);
    // The head's own up turns counter-clockwise with roll, as far as yaw lets one see it.
    const [ux, uy] = project(Float32Array.of(0, 80, 0), camera);
    if (angles.yaw === 0) assert.ok(Math.abs(Math.atan2(224 - ux!, 224 - uy!) - angles.roll * Math.PI / 180) < 1e-3);
  }
});

Deno.test("project() agrees with the pinhole model", () => {
  const camera = cameraFor({ yaw: 0, pitch: 0, roll: 0 }, { side: 100, offset: [0.1, -0.2] });
  const [x, y, z] = project(Float32Array.of(12, 24, 0), camera);
  assert.ok(Math.abs(x! - (470 * 12 / 1200 + 60)) < 1e-4);
  assert.ok(Math.abs(y! - (-470 * 24 / 1200 + 30)) < 1e-4);
  assert.ok(Math.abs(z! - 1200) < 1e-3);
});

Deno.test("posedMesh() gives the pixels of project() and depth from the mean, in the pixels of that depth", () => {
  const camera = cameraFor({ yaw: 0, pitch: 0, roll: 0 }, { side: 100, offset: [0, 0] });
  const points = Float32Array.of(12, 24, 60, -12, 0, -60);
  const [posed, seen] = [posedMesh(points, camera), project(points, camera)];
  // The camera is 1200 mm away and 470 pixels long: 60 mm toward it are 23.5 pixels, and nearer is smaller.
  for (const [i, depth] of [[0, -23.5], [3, 23.5]] as const) {
    assert.deepEqual(posed.slice(i, i + 2), seen.slice(i, i + 2));
    assert.ok(Math.abs(posed[i + 2]! - depth) < 1e-3);
  }
});
