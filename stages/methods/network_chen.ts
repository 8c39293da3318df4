/**
 * The comparator Chen as its authors' networks, coarse and fine: geometry, camera and light are theirs
 * (nets/chen_regressor.ts), and the detailed mesh is drawn over the aligned crop. `compare_chen.ts` is that method's
 * texture model, re-made.
 */
import { defineStage } from "@ftim/pipeline";
import { NETWORK_EACH, NETWORK_INPUTS } from "./parts/network_inputs.ts";

/** Faces, where their detector sees them, their photographs, and the authors' files → `<key>.render.png`. */
export const networkChen = defineStage({
  name: "network_chen",
  module: import.meta.url,
  inputs: { ...NETWORK_INPUTS, checkpoints: "folder", resources: "folder" },
  output: "reconstructions",
  each: [...NETWORK_EACH],
  batch: 4,
  determinism: "bitwise",
  computes: {
    webgpu: "cutting out, the networks, geometry, light, rendering",
    cpu: "decoding and encoding: file formats",
  },
  resources: { gpu: true },
  open: async ({ inputs: { checkpoints, resources } }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { chenComparator } = await import("../../nets/comparators/chen.ts");
    const { openChenRegressor } = await import("../../nets/chen_regressor.ts");
    const { readPixels } = await import("../faces/photograph.ts");
    const { fileIn, pathIn } = await import("./parts/folder_files.ts");
    const tf = await openTfjs();
    const regressor = await openChenRegressor({
      coarse: await fileIn(checkpoints, /^coarse.*\.(index|safetensors)$/),
      model: await fileIn(resources, "BFM2009_Model.mat"),
      detail: {
        network: await fileIn(checkpoints, /^fine.*\.(index|safetensors)$/),
        places: await fileIn(resources, "vertex_uv_ind.npz"),
        brows: await fileIn(resources, "wo_eyebrow_mask.npy"),
        nose: await fileIn(resources, "wo_nose_mask.npy"),
        face: await readPixels(resources, pathIn(resources, "face_mask.png")),
      },
    });
    return { tf, comparator: chenComparator(tf, regressor) };
  },
  close: ({ comparator }) => comparator.dispose(),
  run: async ({ items, inputs: { images }, resource: { tf, comparator } }) => {
    const { networkFaces } = await import("./parts/network_faces.ts");
    await networkFaces(tf, comparator, { items, images, stage: "network_chen" });
  },
});
