/**
 * What the recognition networks make of each photograph. It is computed once, and every method's render is compared
 * with the same embeddings.
 */
import { encodeSafetensors } from "../../nets/safetensors.ts";
import { defineStage, type Tree } from "@ftim/pipeline";
import { readFloats } from "../faces/geometry.ts";

/** Embeddings of one photograph's face. */
export interface Embeddings {
  /** By the 1024-d network, of the whole crop. */
  whole: Float32Array;
  /** The same, grey outside the face mask. */
  masked: Float32Array;
  /** By the 512-d network, of the whole crop; absent without that network. */
  second?: Float32Array;
}

/** Crops (`<key>.png`), masks (`<key>.mask.png`) and meshes → `<key>.safetensors`. `features`: the 512-d network. */
export const embedFaces = defineStage({
  name: "embed",
  module: import.meta.url,
  inputs: {
    crops: "aligned",
    unwrapped: "unwrapped",
    meshes: "meshes",
    recognition: "assets",
    features: "assets?",
  },
  output: "embeddings",
  each: ["crops", "unwrapped", "meshes"],
  batch: 4,
  determinism: { atol: 1e-3, rtol: 1e-3 },
  computes: {
    webgpu: "the 1024-d network",
    onnxruntime: "the 512-d network (on a software adapter by its CPU provider, which is faster there)",
    cpu: "cosines: bookkeeping",
  },
  resources: { gpu: true },
  open: async ({ inputs }) => (await import("./parts/recognition.ts")).openRecognition(inputs),
  close: (networks) => networks.dispose(),
  run: async ({ items, resource: networks }) => {
    const { readMask, readMesh } = await import("../faces/geometry.ts");
    const { readImage } = await import("../faces/photograph.ts");
    const { greyOutside } = await import("./parts/recognition.ts");
    await Promise.all(items.map(async ({ key, inputs, out }) => {
      const photograph = await readImage(inputs.crops, `${key}.png`);
      const mask = await readMask(inputs.unwrapped, key);
      const vertices = await readMesh(inputs.meshes, key);
      const [[whole, masked], second] = await Promise.all([
        networks.embed1024([photograph, greyOutside(photograph, mask)], vertices),
        networks.embed512?.(photograph, vertices),
      ]);
      const vectors = { whole: whole!, masked: masked!, ...(second === undefined ? {} : { second }) };
      const tensors = Object.entries(vectors).map(([name, data]) => [name, { shape: [data.length], data }]);
      out.write(`${key}.safetensors`, encodeSafetensors(Object.fromEntries(tensors)));
    }));
  },
});

/**
 * Reads one face's embeddings.
 *
 * @throws {TypeError} if the file lacks one
 */
export async function readEmbeddings(embeddings: Tree, key: string): Promise<Embeddings> {
  const { whole, masked, second } = await readFloats(embeddings, `${key}.safetensors`);
  if (whole === undefined || masked === undefined) throw new TypeError(`${key}.safetensors holds no embeddings`);
  return { whole, masked, ...(second === undefined ? {} : { second }) };
}
