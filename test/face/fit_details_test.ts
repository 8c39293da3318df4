import assert from "node:assert/strict";
import type { Tensor } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { fitDetail } from "../../face/detail_layer.ts";
import { fitDetails } from "../../face/fit_details.ts";
import { shade } from "../../face/light.ts";
import { uploadMeshes } from "../../face/normal_maps.ts";
import { normalMap } from "../../face/shading.ts";
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
function face(seed: number, { topology, model, size }: { topology: Topology; model: Float32Array; size: number }): Face {
  const vertices = posedHead(7 * (seed % 9) - 30, model);
  const light = random([27], seed).data.map((value, k) => k < 3 ? 3 : 0.5 * value);
  const albedo = random([size, size, 3], seed + 1).data.map((value) => 0.5 + 0.2 * value);
  const shading = shade(normalMap(vertices, topology, { size }), light);
  const texture = shading.map((value, i) => value * albedo[i]! + 0.03 * Math.sin(Math.floor(i / 3) % size + seed));
  const seen = random([size, size], seed + 2).data;
  const visibility = Float32Array.from(uvMap(topology, size).inside, (inside, i) => inside * Math.max(0, seen[i]! + 0.4));
  return { vertices, light, albedo, texture, visibility };
}

async function fit(faces: readonly Face[], { topology, size, ...options }: typeof OPTIONS & { topology: Topology; size: number }) {
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

for (const { faces, size, iterations } of [
  { faces: 1, size: 64, iterations: 1 },
  { faces: 1, size: 33, iterations: 0 },
  { faces: 3, size: 37, iterations: 30 },
  { faces: 2, size: 128, iterations: 80 },
  { faces: 65, size: 10, iterations: 20 },
]) {
  Deno.test(`fitDetails() is fitDetail() of each face: ${faces} of ${size}², ${iterations} iterations`, async () => {
    const head = { ...gridHead(9), size };
    const all = Array.from({ length: faces }, (_, i) => face(i + 1, head));
    const options = { ...OPTIONS, iterations, topology: head.topology, size };
    const found = await fit(all, options);
    for (const [i, { displacement, normals }] of found.entries()) {
      if (i % 16 !== 0) continue;
      const expected = fitDetail({ ...all[i]!, topology: head.topology, size }, options);
      const largest = Math.max(1e-6, ...expected.displacement.map(Math.abs));
      const errors = [maxDifference(displacement, expected.displacement) / largest, maxDifference(normals, expected.normals)];
      assert.ok(Math.max(...errors) < 2e-3, `face ${i}: ${errors} of ${largest}`);
    }
    assert.deepEqual(await fit(all, options), found);
    assert.deepEqual(await fit(all.slice(-1), options), found.slice(-1));
    disposeUvTables(head.topology);
  });
}
