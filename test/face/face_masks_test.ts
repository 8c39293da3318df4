import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { faceMasks, type MaskedFace } from "../../face/face_masks.ts";
import { renderOperator } from "../../face/render_cpu.ts";
import { posed, topology } from "../stages/face_lab.ts";

Deno.test("a mask is what the render operator covers, and ends at the bounds; alone as among 65", async () => {
  const tf = await openTfjs();
  const [width, height] = [211, 217];
  const faces = Array.from({ length: 65 }, (_, i): MaskedFace => ({
    // one is partly and one wholly outside
    vertices: posed(2 * i - 64).map((value) => value + (i === 3 ? -60 : i === 4 ? 900 : 0)),
    ...(i % 2 === 0 ? {} : { bounds: { left: 60.5, top: -8, width: 80.2, height: 100.75 } }),
  }));
  const before = tf.memory().numTensors;
  const masks = await faceMasks(tf, faces, { topology, width, height });
  assert.equal(tf.memory().numTensors, before, "tensors leak");
  for (const i of [0, 1, 2, 3, 4, 31, 63, 64]) {
    const { vertices, bounds } = faces[i]!;
    const { coverage } = renderOperator(vertices, { topology, width, height, size: 16 });
    const within = bounds ?? { left: 0, top: 0, width, height };
    const expected = coverage.map((value, k) => {
      const [x, y] = [k % width + 0.5 - within.left, Math.floor(k / width) + 0.5 - within.top];
      return x >= 0 && y >= 0 && x <= within.width && y <= within.height ? value : 0;
    });
    // a centre on an edge may go to either side in single precision
    const differ = masks[i]!.filter((value, k) => value !== expected[k]).length;
    assert.ok(differ <= 1, `face ${i}: ${differ} pixels differ`);
    assert.equal(i === 4, !masks[i]!.includes(1));
    assert.deepEqual(await faceMasks(tf, [faces[i]!], { topology, width, height }), [masks[i]]);
  }
});

Deno.test("no faces have no masks; a vertex that is no number, and a mesh in one point", async () => {
  const tf = await openTfjs();
  const options = { topology, width: 9, height: 5 };
  const vertices = posed(0);
  assert.deepEqual(await faceMasks(tf, [], options), []);
  await assert.rejects(faceMasks(tf, [{ vertices }, { vertices: vertices.with(7, NaN) }], options), /mesh 1/);
  assert.deepEqual(await faceMasks(tf, [{ vertices: vertices.map(() => 3) }], options), [new Float32Array(45)]);
});
