/**
 * What the recognition networks make of each photograph. It is computed once, and every method's render is compared
 * with the same embeddings.
 */
import { z } from "zod";
import { encodeSafetensors } from "../../nets/safetensors.ts";
import { defineStage, type Tree } from "@ftim/pipeline";
import { readFloats } from "../faces/geometry.ts";

/** Embeddings of one photograph's face. */
export interface Embeddings {
  /** By the network that scores, of the whole crop; absent where nothing is compared with it. */
  whole?: Float32Array;
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
    topology: "assets",
    recognition: "assets",
    features: "assets?",
  },
  output: "embeddings",
  each: ["crops", "unwrapped", "meshes"],
  batch: 8,
  params: z.strictObject({
    /** Whether the whole crop is embedded, too, and not only the face. */
    whole: z.boolean().default(true),
  }),
  determinism: { atol: 1e-3, rtol: 1e-3 },
  computes: {
    webgpu: "the network that scores identity",
    onnxruntime: "the 512-d network (on a software adapter by its CPU provider, which is faster there)",
    cpu: "on a software adapter cutting out for the 512-d network, beside the network",
  },
  resources: { gpu: true },
  open: async ({ inputs }) => (await import("./parts/recognition.ts")).openRecognition(inputs),
  close: (networks) => networks.dispose(),
  run: async ({ items, params: { whole }, resource: networks }) => {
    const { readMask, readMesh } = await import("../faces/geometry.ts");
    const { readImage } = await import("../faces/photograph.ts");
    const looks = await Promise.all(items.map(async ({ key, inputs }) => {
      const [picture, mask, vertices] = await Promise.all([
        readImage(inputs.crops, `${key}.png`),
        readMask(inputs.unwrapped, key),
        readMesh(inputs.meshes, key),
      ]);
      return { picture, mask, vertices };
    }));
    const wholes = looks.map(({ picture, vertices }) => ({ picture, vertices }));
    // Together, as the second opinion may have threads of its own.
    const [vectors, seconds] = await Promise.all([
      networks.embed([...looks, ...(whole ? wholes : [])]),
      Promise.all(wholes.map((look) => networks.embedSecond?.(look))),
    ]);
    for (const [i, { key, out }] of items.entries()) {
      const second = seconds[i];
      const embeddings: Embeddings = {
        ...(whole ? { whole: vectors[items.length + i]! } : {}),
        masked: vectors[i]!,
        ...(second === undefined ? {} : { second }),
      };
      const tensors = Object.entries(embeddings).map(([name, data]) => [name, { shape: [data.length], data }]);
      out.write(`${key}.safetensors`, encodeSafetensors(Object.fromEntries(tensors)));
    }
  },
});

/**
 * Reads one face's embeddings.
 *
 * @throws {TypeError} if the file lacks that of the face
 */
export async function readEmbeddings(embeddings: Tree, key: string): Promise<Embeddings> {
  const { whole, masked, second } = await readFloats(embeddings, `${key}.safetensors`);
  if (masked === undefined) throw new TypeError(`${key}.safetensors holds no embedding of the face`);
  return { masked, ...(whole === undefined ? {} : { whole }), ...(second === undefined ? {} : { second }) };
}
