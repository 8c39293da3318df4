/** The comparator DECA about a regressor of a drawn head; the regressor itself is tested beside its authors' code. */
import assert from "node:assert/strict";
import type { Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { cropInPhotograph, decaCrop } from "../../../face/crop.ts";
import { shade } from "../../../face/light_cpu.ts";
import { vertexNormals } from "../../../face/normals.ts";
import { parseTemplateMesh } from "../../../face/template_mesh.ts";
import { bilinearCropCpu } from "../../../nets/bilinear_crop_cpu.ts";
import { decaComparator } from "../../../nets/comparators/deca.ts";
import type { DecaFaces } from "../../../nets/deca_regressor.ts";
import { relativeError } from "../../gpu/arrays.ts";
import { numbers } from "../../golden/drawn.ts";
import golden from "../../golden/deca.json" with { type: "json" };
import { noise } from "../inputs.ts";

const tf = await openTfjs();
const obj = await Deno.readTextFile(new URL("../../golden/files/seams.obj", import.meta.url));
const mesh = parseTemplateMesh(obj, "seams.obj");
const head = Float32Array.from(
  obj.split("\n").filter((line) => line.startsWith("v ")).flatMap((line) => line.split(" ").slice(1).map(Number)),
);
const light = Float32Array.from(numbers(golden.light));

/** A regressor that says the same of each crop; the second head is the first one turned over. */
function drawnRegressor({ albedo }: { albedo: boolean }) {
  const turned = head.map((value, i) => i % 3 === 1 ? value : -value);
  return {
    mesh,
    regressCrops: ({ shape: [batch] }: Tensor4D) => {
      const vertices = tf.tensor3d([...head, ...turned], [2, mesh.vertexCount, 3]);
      const faces = {
        code: { light: tf.tensor3d([...light, ...light], [2, 9, 3]) } as DecaFaces["code"],
        vertices: tf.slice(vertices, 0, batch),
        posed: tf.mul(vertices, 10) as typeof vertices,
        landmarks: vertices,
        fixedLandmarks: vertices,
        albedo: albedo ? tf.fill([2, 8, 8, 3], 0.5) as Tensor4D : undefined,
      };
      return faces;
    },
    dispose: () => {},
  };
}

Deno.test("DECA's light is on the normals of the posed head, and its albedo is its texture", async () => {
  const comparator = decaComparator(tf, drawnRegressor({ albedo: true }));
  assert.deepEqual(comparator.topology.triangles, mesh.triangles);
  assert.deepEqual(comparator.topology.chart!.uvTriangles, mesh.uvTriangles);
  const crops = tf.zeros([2, 224, 224, 3]) as Tensor4D;
  const { vertices, colours, texture } = await comparator.reconstruct(crops);
  const found = await colours!.data<"float32">();
  // the authors' own values (test/golden/deca.py)
  assert.ok(relativeError(found.slice(0, head.length), numbers(golden.shading)) < 1e-4);
  // turned half about the vertical axis, as its normals are; ours are of pixels, where y and z are turned over
  const turned = vertexNormals(head.map((value, i) => i % 3 === 0 ? value : -value), mesh);
  const expected = shade(turned.map((value, i) => i % 3 === 1 ? value : -value), light);
  assert.ok(relativeError(found.slice(head.length), expected) < 1e-4);
  assert.equal((await vertices.data())[0], Math.fround(10 * head[0]!));
  assert.deepEqual(texture!.shape, [2, 8, 8, 3]);
  tf.dispose([vertices, colours!, texture!]);
  const lacking = decaComparator(tf, drawnRegressor({ albedo: false }));
  assert.throws(() => lacking.reconstruct(crops), /without its albedo/);
  crops.dispose();
  comparator.dispose();
  lacking.dispose();
});

Deno.test("DECA's crop is about the box of its authors' detector", async () => {
  const comparator = decaComparator(tf, drawnRegressor({ albedo: true }));
  const image = noise({ width: 200, height: 160, seed: 4 });
  const box = { left: 30.5, top: 20.25, width: 90, height: 110 };
  const { crops, parts } = comparator.crop(tf, [{ image, face: { box, points: [], by: "the test" } }]);
  const transform = decaCrop(box, { photograph: image });
  assert.ok(relativeError(await crops.data<"float32">(), bilinearCropCpu(image, transform).data) < 1e-4);
  assert.deepEqual(parts, [cropInPhotograph(transform)]);
  crops.dispose();
  comparator.dispose();
});
