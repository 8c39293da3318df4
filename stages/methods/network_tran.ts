/**
 * The comparator Tran as its authors' network: geometry, camera and light are theirs (nets/tran_regressor.ts), and its
 * mesh is drawn over the aligned crop. `compare_tran.ts` is that method's texture model, re-made.
 */
import { defineStage } from "@ftim/pipeline";
import { NETWORK_EACH, NETWORK_INPUTS } from "./parts/network_inputs.ts";

/** Faces, where their detector sees them, their photographs, and the authors' files → `<key>.render.png`. */
export const networkTran = defineStage({
  name: "network_tran",
  module: import.meta.url,
  inputs: { ...NETWORK_INPUTS, checkpoint: "folder", definition: "folder" },
  output: "reconstructions",
  each: [...NETWORK_EACH],
  batch: 8,
  determinism: "bitwise",
  computes: {
    webgpu: "cutting out, the network, geometry, light, rendering",
    cpu: "decoding and encoding: file formats",
  },
  resources: { gpu: true },
  open: async ({ inputs: { checkpoint, definition } }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { tranComparator } = await import("../../nets/comparators/tran.ts");
    const { openTranRegressor } = await import("../../nets/tran_regressor.ts");
    const { fileIn } = await import("./parts/folder_files.ts");
    const tf = await openTfjs();
    const regressor = await openTranRegressor({
      network: await fileIn(checkpoint, /\.(index|safetensors)$/),
      definition: (name) => fileIn(definition, name),
    });
    return { tf, comparator: tranComparator(tf, regressor) };
  },
  close: ({ comparator }) => comparator.dispose(),
  run: async ({ items, inputs: { images }, resource: { tf, comparator } }) => {
    const { networkFaces } = await import("./parts/network_faces.ts");
    await networkFaces(tf, comparator, { items, images, stage: "network_tran" });
  },
});
