/**
 * What the regressor `deca` brings that is the same for all faces (`deca.ts`): the part of FLAME's head that is the
 * face, as a topology in FLAME's UV layout, and its linear shape and albedo. The paper regresses with DECA.
 *
 * The face is what DECA itself pastes and scores: the triangles under its `uv_face_eye_mask.png`, eyeballs among them
 * and neck, ears and scalp not. DECA's 2020 template has seams in there around the eyeballs alone.
 *
 * A UV map is mirrored by reversing its rows. FLAME's head is its own mirror image to the last digit, and its chart is
 * one about an axis that lies 0.9 texels of 256 to the left of the middle. So chart and maps are moved to the right by
 * one texel; then the mirror image of a texel of skin is at most half a texel off. The islands of the two eyeballs are
 * each other's mirror image turned by a quarter about the iris.
 */
import { defineStage, type Tree } from "@ftim/pipeline";

/** Side of the maps in texels, as of DECA's albedo. */
const SIZE = 256;

/**
 * The authors' files, one each → `topology.safetensors` and `shape.safetensors` (the shape part of a morphable model).
 * With `albedo` also `model.safetensors`, which has DECA's albedo space beside the shape, and says in its metadata that
 * an encoder predicts the codes of that space (`albedo: "encoded"`).
 */
export const flameFace = defineStage({
  name: "flame",
  module: import.meta.url,
  inputs: { flame: "assets", template: "assets", landmarks: "assets", mask: "assets", albedo: "assets?" },
  output: "flame",
  determinism: "bitwise",
  computes: { cpu: "reading the authors' files: file formats" },
  run: async ({ inputs, out, log }) => {
    const { chartShift, movedChart, movedMaps } = await import("../../face/centre_chart.ts");
    const { facePart, partLandmarks } = await import("../../face/face_part.ts");
    const { flameShape } = await import("../../face/flame_shape.ts");
    const { encodeMorphable, encodeShape } = await import("../../face/morphable.ts");
    const { parseTemplateMesh } = await import("../../face/template_mesh.ts");
    const { DECA_CODE } = await import("../../nets/deca_encoder.ts");
    const { readFlame } = await import("../../nets/flame_file.ts");
    const { readFlameAlbedo, unitAlbedo } = await import("../../nets/flame_albedo_file.ts");
    const { readFlameLandmarks } = await import("../../nets/flame_landmarks_file.ts");
    const { encodeSafetensors } = await import("../../nets/safetensors.ts");
    const { encodeFacePart } = await import("../faces/face_part_file.ts");
    const { greyOf } = await import("../faces/geometry.ts");
    const { onlyFile } = await import("../data/parts/file_source.ts");
    const { readImage } = await import("../faces/photograph.ts");
    const mesh = parseTemplateMesh(await textOf(inputs.template), "FLAME's template");
    const mask = await readImage(inputs.mask, inputs.mask.paths[0]!);
    if (mask.width !== mask.height) {
      throw new RangeError(`The mask of the face must be square, and it is ${mask.width}×${mask.height}`);
    }
    const inLayout = facePart(mesh, { size: mask.width, values: greyOf(mask) });
    const model = await readFlame(await onlyFile(inputs.flame));
    const count = model.template.length / 3;
    if (mesh.vertexCount !== count) {
      throw new RangeError(`FLAME's template has ${mesh.vertexCount} vertices, the model ${count}`);
    }
    const shape = flameShape(model, { vertices: inLayout.vertices, shapes: DECA_CODE.shape });
    const { uvs } = inLayout.topology;
    const chart = { size: SIZE, shift: chartShift(shape.mean, { uvs, size: SIZE }) };
    const part = { ...inLayout, topology: { ...inLayout.topology, uvs: movedChart(uvs, chart) } };
    const triangles = mesh.triangles.length / 3;
    const { fixed } = await readFlameLandmarks(await onlyFile(inputs.landmarks), { triangles });
    const landmarks = partLandmarks(part, { points: fixed, triangles: mesh.triangles });
    out.write("topology.safetensors", encodeFacePart({ ...part, landmarks }));
    const { vertexCount, surface } = part.topology;
    const split = surface!.welded.reduce((count, first, vertex) => count + (first === vertex ? 0 : 1), 0);
    log(
      `the face: ${part.topology.triangles.length / 3} of ${triangles} triangles, ${vertexCount} vertices, ` +
        `of which ${split} along seams; the chart is moved right by ${chart.shift} of ${SIZE} texels`,
    );
    out.write("shape.safetensors", encodeSafetensors(encodeShape(shape)));
    if (inputs.albedo === undefined) return;
    const space = await readFlameAlbedo(await onlyFile(inputs.albedo), { components: DECA_CODE.albedo });
    const albedo = unitAlbedo({
      ...space,
      mean: movedMaps(space.mean, chart),
      components: movedMaps(space.components, chart),
    });
    out.write("model.safetensors", encodeSafetensors(encodeMorphable({ ...shape, ...albedo }), { albedo: "encoded" }));
  },
});

function textOf(tree: Tree): Promise<string> {
  return tree.text(tree.paths[0]!);
}
