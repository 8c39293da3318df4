import assert from "node:assert/strict";
import { headAngles } from "../../../../stages/data/parts/facescape.ts";
import { cameraFor, posedMesh, project } from "../../../../stages/synthetic/parts/synthetic_studio.ts";

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
    // The tip of the nose is nearer than the centre of the head and lies on the side that yaw says, and above it or
    // below as pitch says.
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
