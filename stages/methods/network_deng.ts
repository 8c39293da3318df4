/**
 * The comparator Deng as its authors' network: crop, geometry, camera and light are theirs (nets/comparators/deng.ts),
 * and its mesh is drawn over the aligned crop. `compare_deng.ts` is that method's texture model, re-made. The paper
 * does not say how it drew the comparators; each is drawn on its own geometry here.
 */
import { defineStage } from "@ftim/pipeline";
import { NETWORK_EACH, NETWORK_INPUTS } from "./parts/network_inputs.ts";

/** Faces, where their detector sees them, their photographs, and the authors' files → `<key>.render.png`. */
export const networkDeng = defineStage({
  name: "network_deng",
  module: import.meta.url,
  inputs: { ...NETWORK_INPUTS, encoder: "assets", model: "assets", standard: "assets" },
  output: "reconstructions",
  each: [...NETWORK_EACH],
  batch: 8,
  determinism: "bitwise",
  computes: {
    webgpu: "cutting out, the network, geometry, light, rendering",
    cpu: "decoding and encoding: file formats",
  },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { openTfjs } = await import("@ftim/gpu/tfjs");
    const { openDeng } = await import("../../nets/comparators/deng.ts");
    const { fileSource } = await import("../data/parts/file_source.ts");
    const source = (file: "encoder" | "model" | "standard") => fileSource(inputs[file].file(inputs[file].paths[0]!));
    const files = {
      encoder: await source("encoder"),
      model: await source("model"),
      standard: await source("standard"),
    };
    return { tf: await openTfjs(), comparator: await openDeng(files) };
  },
  close: ({ comparator }) => comparator.dispose(),
  run: async ({ items, inputs: { images }, resource: { tf, comparator } }) => {
    const { networkFaces } = await import("./parts/network_faces.ts");
    await networkFaces(tf, comparator, { items, images, stage: "network_deng" });
  },
});
