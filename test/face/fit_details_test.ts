import assert from "node:assert/strict";
import type { Tensor } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { fitDetail } from "../../face/fit_details_cpu.ts";
import { fitDetails } from "../../face/fit_details.ts";
import { shade } from "../../face/light_cpu.ts";
import { uploadMeshes } from "../../face/normal_maps.ts";
import { normalMap } from "../../face/normal_maps_cpu.ts";
import type { Topology } from "../../face/topology.ts";
import { uvMap } from "../../face/uv_map.ts";
import { disposeUvTables } from "../../face/uv_tables.ts";
import { random } from "../gpu/arrays.ts";
import { gridHead, maxDifference, posedHead } from "./head.ts";

const tf = await openTfjs();
const OPTIONS = { smoothness: 0.002, damping: 1e-5, iterations: 30 };

interface Face {
  vertices: Float32Array;
  light: Float32Array;
  albedo: Float32Array;
  texture: Float32Array;
  visibility: Float32Array;
}

/** A wrinkled face, turned, of which a part was not seen. */
function face(
  seed: number,
  { topology, model, size }: { topology: Topology; model: Float32Array; size: number },
): Face {
  const vertices = posedHead(7 * (seed % 9) - 30, model);
  const light = random([27], seed).data.map((value, k) => k < 3 ? 3 : 0.5 * value);
  const albedo = random([size, size, 3], seed + 1).data.map((value) => 0.5 + 0.2 * value);
  const shading = shade(normalMap(vertices, topology, { size }), light);
  const texture = shading.map((value, i) => value * albedo[i]! + 0.03 * Math.sin(Math.floor(i / 3) % size + seed));
  const seen = random([size, size], seed + 2).data;
  const visibility = Float32Array.from(
    uvMap(topology, size).inside,
    (inside, i) => inside * Math.max(0, seen[i]! + 0.4),
  );
  return { vertices, light, albedo, texture, visibility };
}

async function fit(
  faces: readonly Face[],
  { topology, size, ...options }: typeof OPTIONS & { topology: Topology; size: number },
) {
  const stack = (name: keyof Face, shape: number[]) =>
    tf.reshape(tf.stack(faces.map((one) => tf.tensor(one[name]))), [faces.length, ...shape]);
  const fitted = tf.tidy(() =>
    fitDetails(tf, {
      vertices: uploadMeshes(tf, faces.map(({ vertices }) => vertices), topology),
      light: stack("light", [27]),
      albedo: stack("albedo", [size, size, 3]),
      texture: stack("texture", [size, size, 3]),
      visibility: stack("visibility", [size, size]),
    }, { topology, size, ...options })
  );
  const read = async (tensor: Tensor) => {
    const data = await tensor.data<"float32">();
    tensor.dispose();
    const length = data.length / faces.length;
    return faces.map((_, i) => data.slice(i * length, (i + 1) * length));
  };
  const [displacement, normals] = await Promise.all([read(fitted.displacement), read(fitted.normals)]);
  await (await openGpu()).assertHealthy("fit details test");
  return faces.map((_, i) => ({ displacement: displacement[i]!, normals: normals[i]! }));
}

for (
  const { faces, size, iterations } of [
    { faces: 1, size: 64, iterations: 1 },
    { faces: 1, size: 33, iterations: 0 },
    { faces: 3, size: 37, iterations: 15 },
    { faces: 2, size: 128, iterations: 80 },
    { faces: 65, size: 10, iterations: 20 },
  ]
) {
  Deno.test(`fitDetails() is fitDetail() of each face: ${faces} of ${size}², ${iterations} iterations`, async () => {
    const head = { ...gridHead(9), size };
    const all = Array.from({ length: faces }, (_, i) => face(i + 1, head));
    const options = { ...OPTIONS, iterations, topology: head.topology, size };
    const found = await fit(all, options);
    for (const [i, { displacement, normals }] of found.entries()) {
      if (i % 16 !== 0) continue;
      const expected = fitDetail({ ...all[i]!, topology: head.topology, size }, options);
      const largest = Math.max(1e-6, ...expected.displacement.map(Math.abs));
      const toDisplacement = maxDifference(displacement, expected.displacement) / largest;
      const toNormals = maxDifference(normals, expected.normals);
      // Once conjugate gradients have found the strongest directions, rounding grows: in f32 sooner than in f64.
      const [least, most] = iterations <= 20 ? [1e-5, 1e-5] : [2e-2, 3e-3];
      assert.ok(toDisplacement < least && toNormals < most, `face ${i}: ${toDisplacement}, ${toNormals}`);
    }
    assert.deepEqual(await fit(all, options), found);
    assert.deepEqual(await fit(all.slice(-1), options), found.slice(-1));
    disposeUvTables(head.topology);
  });
}

Deno.test("fitDetails() explains as much as fitDetail() after 80 iterations", async () => {
  const size = 64;
  const head = { ...gridHead(9), size };
  const one = face(4, head);
  const options = { ...OPTIONS, iterations: 80, topology: head.topology, size };
  const unexplained = (normals: Float32Array) => {
    const shading = shade(normals, one.light);
    return one.visibility.reduce((sum, weight, i) => {
      let error = 0;
      for (let c = 3 * i; c < 3 * i + 3; c++) error += (one.texture[c]! - one.albedo[c]! * shading[c]!) / 3;
      return sum + weight * error ** 2;
    }, 0);
  };
  const [found] = await fit([one], options);
  const ratio = unexplained(found!.normals) / unexplained(fitDetail({ ...one, ...options }, options).normals);
  assert.ok(Math.abs(ratio - 1) < 1e-3, `${ratio}`);
  disposeUvTables(head.topology);
});

Deno.test("fitDetails() leaves alone what was not seen or is not finite, whatever the other faces are", async () => {
  const size = 24;
  const head = { ...gridHead(9), size };
  const options = { ...OPTIONS, topology: head.topology, size };
  const [good, unseen, broken, point] = [1, 2, 3, 4].map((seed) => face(seed, head)) as [Face, Face, Face, Face];
  unseen.visibility.fill(0);
  broken.texture.fill(NaN);
  point.vertices.fill(50);
  const found = await fit([unseen, good, broken, point], options);
  for (const i of [0, 2, 3]) {
    assert.ok(found[i]!.displacement.every((value) => value === 0));
    const smooth = normalMap([unseen, good, broken, point][i]!.vertices, head.topology, { size });
    assert.ok(maxDifference(found[i]!.normals, smooth) < 2e-6);
  }
  assert.deepEqual(found.slice(1, 2), await fit([good], options));
  disposeUvTables(head.topology);
});

Deno.test("fitDetails() refuses maps of another size", () => {
  const { topology, model } = gridHead(9);
  const map = [1, 8, 8, 3];
  assert.throws(
    () =>
      tf.tidy(() =>
        fitDetails(tf, {
          vertices: uploadMeshes(tf, [posedHead(0, model)], topology),
          light: tf.zeros([1, 27]),
          albedo: tf.zeros(map),
          texture: tf.zeros(map),
          visibility: tf.zeros([1, 8, 8]),
        }, { ...OPTIONS, topology, size: 9 })
      ),
    /must be of as many faces, of 9² texels/,
  );
});
