/**
 * Nobody is in two of the sets that `embedded` trains on, takes its held-out heads from, and tests on: a recognition
 * network that no loss was trained with looks at every pair of faces. It runs on each photograph, which takes minutes.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { findFaces, STRICT, topology } from "../../experiments/faces.ts";
import { cosine } from "../../face/metrics/cosine.ts";
import { reproduce } from "@ftim/pipeline";
import { embedFaces, readEmbeddings } from "../../stages/scores/embed.ts";
import { asset, assets } from "../../stages/data/fetch.ts";
import { importPhotographs } from "../../stages/data/import.ts";
import { unwrapTextures } from "../../stages/geometry/unwrap.ts";

/** Two photographs of one person have more, two persons less; two women of the test photographs come to 0.57. */
const SAME_PERSON = 0.5;

const SETS = [["train/", "largest"], ["held/", "largest"], ["test/", "all"]] as const;

Deno.test("no person of the training, held-out and test photographs is in two of these sets", async () => {
  const root = await Deno.makeTempDir({ prefix: "ftim-persons-" });
  try {
    const networks = { recognition: assets("models/faceres."), features: asset("models/fr_feature.onnx") };
    const targets = Object.fromEntries(SETS.map(([folder, keep]) => {
      const { crops, meshes } = findFaces(importPhotographs(assets(folder), { identities: "unknown" }), { keep });
      const unwrapped = unwrapTextures({ crops, meshes, topology: topology() }, STRICT);
      return [folder, embedFaces({ crops, meshes, unwrapped, ...networks })];
    }));
    const { trees } = await reproduce(targets, { store: join(root, "store") });
    const faces = await Promise.all(SETS.map(([folder]) => {
      const tree = trees[folder]!;
      const keys = tree.paths.map((path) => path.replace(/\.safetensors$/, ""));
      return Promise.all(keys.map(async (key) => ({ key, vector: (await readEmbeddings(tree, key)).second! })));
    }));
    assert.ok(faces[0]!.length >= 45 && faces[1]!.length >= 17 && faces[2]!.length === 22);
    const nearest = (a: number, b: number) =>
      faces[a]!.flatMap((one) =>
        faces[b]!.map((other) => ({ pair: `${one.key} and ${other.key}`, value: cosine(one.vector, other.vector) }))
      ).reduce((best, pair) => pair.value > best.value ? pair : best);
    for (const [a, b] of [[0, 1], [0, 2], [1, 2]] as const) {
      const { pair, value } = nearest(a, b);
      assert.ok(value < SAME_PERSON, `${pair} look like one person: ${value.toFixed(2)}`);
    }
    // The network does tell: the same person's stills are near each other.
    const stills = faces[0]!.filter(({ key }) => key.startsWith("train/franck/"));
    assert.ok(stills.length > 5);
    for (const { key, vector } of stills) {
      assert.ok(cosine(vector, stills[0]!.vector) > SAME_PERSON, `${key} is not taken for the same person`);
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
