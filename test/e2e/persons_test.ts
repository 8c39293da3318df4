/**
 * Nobody is in two of the sets that `embedded` trains on, chooses settings on, and tests on. Two recognition networks
 * that no loss was trained with look at every pair of faces, and neither may take two faces of different sets for one
 * person. Both run on each photograph, which takes minutes.
 *
 * The thresholds were fixed before these sets were drawn. That they tell persons apart is checked on pairs of whom it
 * is known whether they are one person and who are in no set: the photographs in `pairs/`, each in its person's folder.
 * Two more kinds of pairs are known: photographs in one folder of `train/`, and faces of one photograph.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { findFaces, STRICT, topology } from "../../experiments/faces.ts";
import { cosine } from "../../face/metrics/cosine.ts";
import { reproduce } from "@ftim/pipeline";
import { type Embeddings, embedFaces, readEmbeddings } from "../../stages/scores/embed.ts";
import { asset, assets } from "../../stages/data/fetch.ts";
import { importPhotographs } from "../../stages/data/import.ts";
import { unwrapTextures } from "../../stages/geometry/unwrap.ts";

/** Each network's embedding, and the cosine above which it takes two faces for one person. */
const NETWORKS = { whole: 0.73, second: 0.61 } as const;

type Network = keyof typeof NETWORKS;

/** Folders of data.lock: each one's set, which of its faces are persons of that set, and the least number of faces. */
const FOLDERS = {
  "train/": { set: "train", keep: "largest", least: 230 },
  "validation/photographs/": { set: "validation", keep: "all", least: 22 },
  "validation/heads/": { set: "validation", keep: "largest", least: 17 },
  "test/photographs/": { set: "test", keep: "all", least: 22 },
  "test/heads/": { set: "test", keep: "largest", least: 15 },
  "pairs/": { set: "pairs", keep: "largest", least: 18 },
} as const;

Deno.test("no person of the training, validation and test photographs is in two of these sets", async () => {
  const root = await Deno.makeTempDir({ prefix: "ftim-persons-" });
  try {
    const sets = await embedSets(join(root, "store"));
    const outside = pairsOf(sets.pairs!);
    const same = outside.filter(([a, b]) => folderOf(a) === folderOf(b));
    assert.ok(same.length >= 50 && outside.length - same.length >= 90);
    const ofOnePerson = pairsOf(sets.train!).filter(([a, b]) => folderOf(a) === folderOf(b));
    assert.ok(ofOnePerson.length >= 3);
    const ofOnePhotograph = [...pairsOf(sets.validation!), ...pairsOf(sets.test!)].filter(([a, b]) =>
      a.key !== b.key && photographOf(a) === photographOf(b)
    );
    assert.ok(ofOnePhotograph.length >= 22);
    for (const network of Object.keys(NETWORKS) as Network[]) {
      for (const pair of [...outside, ...ofOnePerson, ...ofOnePhotograph]) {
        const expected = same.includes(pair) || ofOnePerson.includes(pair);
        assert.equal(similarity(pair, network) > NETWORKS[network], expected, describe(pair, network));
      }
    }
    const { train, validation, test, pairs } = sets as Record<string, Face[]>;
    const across = [[train, validation], [train, test], [validation, test], [pairs, test]].flatMap(([one, other]) =>
      one!.flatMap((a) => other!.map((b): Pair => [a, b]))
    );
    const alike = (Object.keys(NETWORKS) as Network[]).flatMap((network) =>
      across.filter((pair) => similarity(pair, network) >= NETWORKS[network])
        .map((pair) => `one person is in two sets: ${describe(pair, network)}`)
    );
    assert.deepEqual(alike, []);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

interface Face {
  readonly key: string;
  readonly embeddings: Embeddings;
}

type Pair = readonly [Face, Face];

/** The faces of each set, as both networks see them. */
async function embedSets(store: string): Promise<Partial<Record<string, Face[]>>> {
  const networks = { recognition: assets("models/faceres."), features: asset("models/fr_feature.onnx") };
  const targets = Object.fromEntries(
    Object.entries(FOLDERS).map(([folder, { keep }]) => {
      const { crops, meshes } = findFaces(importPhotographs(assets(folder), { identities: "unknown" }), { keep });
      const unwrapped = unwrapTextures({ crops, meshes, topology: topology() }, STRICT);
      return [folder, embedFaces({ crops, meshes, unwrapped, ...networks })];
    }),
  );
  const { trees } = await reproduce(targets, { store });
  const sets: Record<string, Face[]> = {};
  for (const [folder, { set, least }] of Object.entries(FOLDERS)) {
    const tree = trees[folder]!;
    const keys = tree.paths.map((path) => path.replace(/\.safetensors$/, ""));
    assert.ok(keys.length >= least, `${folder}: ${keys.length} faces, at least ${least} expected`);
    const faces = await Promise.all(keys.map(async (key) => ({ key, embeddings: await readEmbeddings(tree, key) })));
    (sets[set] ??= []).push(...faces);
  }
  return sets;
}

function pairsOf(faces: readonly Face[]): Pair[] {
  return faces.flatMap((a, i) => faces.slice(i + 1).map((b): Pair => [a, b]));
}

/** The person in `train/` and `pairs/`. */
function folderOf({ key }: Face): string {
  return key.split("/").slice(0, 2).join("/");
}

/** A face's key without the face's number. */
function photographOf({ key }: Face): string {
  return key.slice(0, key.lastIndexOf("/"));
}

function similarity([a, b]: Pair, network: Network): number {
  return cosine(a.embeddings[network]!, b.embeddings[network]!);
}

function describe(pair: Pair, network: Network): string {
  return `${pair[0].key} and ${pair[1].key} by ${network}: ${similarity(pair, network).toFixed(3)}`;
}
