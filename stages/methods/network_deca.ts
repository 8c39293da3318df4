/**
 * The comparator DECA as its authors' network: crop, geometry, camera, light and albedo are theirs
 * (nets/comparators/deca.ts), and its whole head is drawn over the aligned crop, as their own renderer draws it over a
 * background. `compare_deca.ts` is that method's texture model, re-made.
 */
import { defineStage } from "@ftim/pipeline";
import { NETWORK_EACH, NETWORK_INPUTS } from "./parts/network_inputs.ts";

/** Faces, where their detector sees them, their photographs, and the authors' files → `<key>.render.png`. */
export const networkDeca = defineStage({
  name: "network_deca",
  module: import.meta.url,
  inputs: {
    ...NETWORK_INPUTS,
    encoder: "assets",
    flame: "assets",
    landmarks: "assets",
    template: "assets",
    albedo: "assets",
  },
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
    const { openDeca } = await import("../../nets/comparators/deca.ts");
    const { fileSource } = await import("../data/parts/file_source.ts");
    const source = (file: "encoder" | "flame" | "landmarks" | "albedo") =>
      fileSource(inputs[file].file(inputs[file].paths[0]!));
    const files = {
      encoder: await source("encoder"),
      flame: await source("flame"),
      landmarks: await source("landmarks"),
      template: await inputs.template.text(inputs.template.paths[0]!),
      albedo: await source("albedo"),
    };
    return { tf: await openTfjs(), comparator: await openDeca(files) };
  },
  close: ({ comparator }) => comparator.dispose(),
  run: async ({ items, inputs: { images }, resource: { tf, comparator } }) => {
    const { networkFaces } = await import("./parts/network_faces.ts");
    await networkFaces(tf, comparator, { items, images, stage: "network_deca" });
  },
});
