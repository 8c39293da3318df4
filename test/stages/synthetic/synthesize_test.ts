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
  assert.ok(all.some((frame) => frame.kind === "decoy"), "frames without a face");
  assert.ok(all.some((frame) => frame.kind === "head" && Math.abs(frame.angles.yaw) > 90), "frames from behind");
});

Deno.test("planCaptures() casts each person alone first, then blends two different ones", () => {
  const heads = planCaptures(options).map(({ head }) => head);
  assert.deepEqual(heads[0]!.persons, ["a"]);
  for (const { persons, share } of heads.slice(6)) {
    assert.equal(new Set(persons).size, 2);
    assert.ok(share > 0.3 && share < 0.7);
  }
});

Deno.test("the studio's camera shows the head at the angles that it was asked for", () => {
  const angles = { yaw: 35, pitch: 8, roll: -4 };
  const camera = cameraFor(angles, { side: 448, offset: [0, 0] });
  const found = headAngles(camera);
  for (const name of ["yaw", "pitch", "roll"] as const) assert.ok(Math.abs(found[name] - angles[name]) < 1e-6);
  // The tip of the nose is nearer than the centre of the head and lies on the side that yaw says.
  const [, , centre, x, , nose] = project(Float32Array.of(0, 0, 0, 0, 0, 80), camera);
  assert.ok(x! > 224 && nose! < centre!);
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
