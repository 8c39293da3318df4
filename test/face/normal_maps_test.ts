import assert from "node:assert/strict";
import type { Tensor } from "@tensorflow/tfjs";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { normalMaps, sampleNormals, shadingMaps, surfaceMaps, uploadMeshes } from "../../face/normal_maps.ts";
import { normalMap, shadingMap } from "../../face/normal_maps_cpu.ts";
import { createTopology } from "../../face/topology.ts";
import { disposeUvTables } from "../../face/uv_tables.ts";
import { interpolate } from "../../face/interpolate_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { random } from "../gpu/arrays.ts";
import { gridHead, maxDifference, posedHead } from "./head.ts";

const tf = await openTfjs();

async function values(make: () => Tensor): Promise<Float32Array> {
  const tensor = tf.tidy(make);
  const data = await tensor.data<"float32">();
  tensor.dispose();
  return data;
}

for (const { faces, size } of [{ faces: 1, size: 33 }, { faces: 3, size: 64 }, { faces: 65, size: 9 }]) {
  Deno.test(`normalMaps(), shadingMaps() and surfaceMaps() are their twins: ${faces} faces, ${size}²`, async () => {
    const { topology, model } = gridHead(9);
    const meshes = Array.from({ length: faces }, (_, i) => posedHead(2 * i - 40, model));
    const light = random([faces, 27], 3).data;
    const shape = [faces, 27];
    const options = { topology, size };
    const normals = await values(() => normalMaps(tf, uploadMeshes(tf, meshes, topology), options));
    const places = await values(() => surfaceMaps(tf, uploadMeshes(tf, meshes, topology), options).places);
    const shading = await values(() =>
      shadingMaps(tf, uploadMeshes(tf, meshes, topology), { light: tf.tensor(light, shape), ...options })
    );
    const length = 3 * size * size;
    meshes.forEach((vertices, i) => {
      const part = (map: Float32Array) => map.subarray(i * length, (i + 1) * length);
      const own = light.slice(27 * i, 27 * (i + 1));
      assert.ok(maxDifference(part(normals), normalMap(vertices, topology, { size })) < 2e-6);
      assert.ok(maxDifference(part(shading), shadingMap(vertices, { light: own, topology, size })) < 1e-5);
      const map = uvMap(topology, size);
      const expected = interpolate(vertices, { topology, map });
      for (let k = 0; k < size * size; k++) {
        const place = places.subarray(4 * (i * size * size + k), 4 * (i * size * size + k) + 4);
        assert.ok(maxDifference(place.subarray(0, 3), expected.subarray(3 * k, 3 * k + 3)) < 5e-5);
        assert.equal(place[3], map.inside[k]);
      }
    });
    const chosen = Int32Array.from({ length: 20 }, (_, i) => 3 * i);
    const some = await values(() =>
      sampleNormals(tf, uploadMeshes(tf, meshes, topology), { ...options, places: tf.tensor1d(chosen, "int32") })
    );
    meshes.forEach((_, i) =>
      chosen.forEach((texel, k) => {
        const [own, whole] = [60 * i + 3 * k, i * length + 3 * texel];
        assert.deepEqual(some.subarray(own, own + 3), normals.subarray(whole, whole + 3));
      })
    );
    // The same bits again, and of each face alone.
    assert.deepEqual(await values(() => normalMaps(tf, uploadMeshes(tf, meshes, topology), options)), normals);
    const last = await values(() => normalMaps(tf, uploadMeshes(tf, meshes.slice(-1), topology), options));
    assert.deepEqual(last, normals.slice(-length));
    const lastShading = await values(() =>
      shadingMaps(tf, uploadMeshes(tf, meshes.slice(-1), topology), {
        light: tf.tensor(light.slice(-27), [1, 27]),
        ...options,
      })
    );
    assert.deepEqual(lastShading, shading.slice(-length));
    disposeUvTables(topology);
    await (await openGpu()).assertHealthy("normal maps test");
  });
}

Deno.test("normalMaps() of a mesh in one point face the viewer, as the reference's do", async () => {
  const { topology, model } = gridHead(5);
  const mesh = new Float32Array(model.length).fill(7);
  const normals = await values(() => normalMaps(tf, uploadMeshes(tf, [mesh], topology), { topology, size: 8 }));
  assert.deepEqual(normals, normalMap(mesh, topology, { size: 8 }));
  disposeUvTables(topology);
});

Deno.test("normalMaps() of triangles without area beside others are the reference's", async () => {
  const uvs = Float32Array.of(0.1, 0.1, 0.9, 0.1, 0.1, 0.9, 0.9, 0.9);
  // The second triangle names a vertex twice.
  const topology = createTopology({ triangles: Uint32Array.of(0, 2, 1, 1, 3, 3), uvs });
  const mesh = Float32Array.of(0, 0, 0, 9, 0, 3, 0, 9, 1, 9, 9, 0);
  const normals = await values(() => normalMaps(tf, uploadMeshes(tf, [mesh], topology), { topology, size: 7 }));
  assert.ok(maxDifference(normals, normalMap(mesh, topology, { size: 7 })) < 1e-6);
  disposeUvTables(topology);
});

Deno.test("uploadMeshes() names the face whose mesh is broken", () => {
  const { topology, model } = gridHead(5);
  const broken = model.slice();
  broken[7] = NaN;
  assert.throws(() => uploadMeshes(tf, [model, broken], topology), /Face 1: its mesh has NaN in vertex 2/);
  assert.throws(() => uploadMeshes(tf, [model.slice(3)], topology), /Face 0: its mesh has 24 vertices, not 25/);
  assert.throws(() => uploadMeshes(tf, [], topology), /no mesh/);
  assert.throws(() => normalMaps(tf, tf.zeros([2, 3, 4]), { topology, size: 8 }), /\[2,3,4\] must be \[B, 25, 4\]/);
  const light = tf.zeros([2, 27]);
  assert.throws(
    () => shadingMaps(tf, uploadMeshes(tf, [model], topology), { light, topology, size: 8 }),
    /it must be \[1, 27\]/,
  );
});
