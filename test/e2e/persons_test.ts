/**
 * Nobody is in two of the sets that `embedded` trains on, chooses settings on, and tests on. Two recognition networks
 * that no loss was trained with look at every pair of faces, and neither may take two faces of different sets for one
 * person. Both run on each photograph, which takes minutes.
 *
 * Pairs of whom it is known whether they are one person say where a network's answer changes. One person: photographs
 * in one folder of `train/`. Two persons: folders of `train/`, of `held/` and of `pairs/`, the person of
 * `train/franck/` and those of `pairs/`, and faces of one photograph. The thresholds were fixed before `unseen/`,
 * `more/` and `pairs/` were drawn. Faces of different photographs of `test/` are not judged, for a person may be in
 * several; nor are those of `unseen/`, for its heads are made of its photographs.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { findFaces, STRICT } from "../../experiments/faces.ts";
import { topology } from "../../experiments/regressors.ts";
import { cosine } from "../../face/metrics/cosine.ts";
import { reproduce } from "@ftim/pipeline";
import { type Embeddings, embedFaces, readEmbeddings } from "../../stages/scores/embed.ts";
import { asset, assets } from "../../stages/data/fetch.ts";
import { importPhotographs } from "../../stages/data/import.ts";
import { unwrapTextures } from "../../stages/geometry/unwrap.ts";
import { quietEngine } from "../engine.ts";

/**
 * Each network's embedding, and the cosine above which it takes two faces for one person: half-way between the known
 * pairs of `train/`, `held/` and `test/`.
 */
const NETWORKS = {
  /** 0.757 at least for one person; 0.660 at most for two, but 0.698 for two women in different test photographs. */
  whole: 0.73,
  /** 0.651 at least for one person; 0.432 at most for two, but 0.568 for those two women. */
  second: 0.61,
} as const;

type Network = keyof typeof NETWORKS;

/** Folders of data.lock: which faces of a photograph count, and the least number of them. */
const FOLDERS = {
  "train/": { keep: "largest", least: 45 },
  "more/": { keep: "largest", least: 194 },
  "held/": { keep: "largest", least: 17 },
  "test/": { keep: "all", least: 22 },
  "unseen/photographs/": { keep: "all", least: 40 },
  "unseen/heads/": { keep: "largest", least: 22 },
  "pairs/": { keep: "largest", least: 7 },
} as const;

type Folder = keyof typeof FOLDERS;

Deno.test("no person of the training, validation and test photographs is in two of these sets", async () => {
  const root = await Deno.makeTempDir({ prefix: "ftim-persons-" });
  try {
    const faces = await embedFolders(join(root, "store"));
    const training = pairsOf(faces["train/"]);
    const same = training.filter(([a, b]) => folderOf(a) === folderOf(b));
    const franck = faces["train/"].filter(({ key }) => key.startsWith("train/franck/"));
    const different = [
      ...training.filter(([a, b]) => folderOf(a) !== folderOf(b)),
      ...pairsOf(faces["held/"]),
      ...pairsOf(faces["pairs/"]),
      ...between(franck, faces["pairs/"]),
      ...[...pairsOf(faces["test/"]), ...pairsOf(faces["unseen/photographs/"])].filter(([a, b]) =>
        photographOf(a) === photographOf(b)
      ),
    ];
    assert.ok(same.length >= 50 && new Set(same.map(([a]) => folderOf(a))).size >= 4);
    assert.ok(same.length + different.length >= 1000);
    const trained = [...faces["train/"], ...faces["more/"]];
    const unseen = [...faces["unseen/photographs/"], ...faces["unseen/heads/"]];
    const across = [
      ...between(trained, [...faces["held/"], ...faces["test/"], ...unseen]),
      ...between(faces["held/"], faces["test/"]),
      ...between(unseen, [...faces["held/"], ...faces["test/"], ...faces["pairs/"]]),
    ];
    for (const network of Object.keys(NETWORKS) as Network[]) {
      const areOne = (pair: Pair) => similarity(pair, network) > NETWORKS[network];
      for (const pair of same) assert.ok(areOne(pair), describe(pair, network));
      for (const pair of different) assert.ok(!areOne(pair), describe(pair, network));
      const alike = across.filter((pair) => similarity(pair, network) >= NETWORKS[network]);
      assert.deepEqual(alike.map((pair) => `one person is in two sets: ${describe(pair, network)}`), []);
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

interface Face {
  readonly key: string;
  readonly embeddings: Embeddings;
}

type Pair = readonly [Face, Face];

/** The faces of each folder, as both networks see them. */
async function embedFolders(store: string): Promise<Record<Folder, Face[]>> {
  const networks = { recognition: assets("models/faceres."), features: asset("models/fr_feature.onnx") };
  const folders = Object.entries(FOLDERS);
  const targets = Object.fromEntries(folders.map(([folder, { keep }]) => {
    const { crops, meshes } = findFaces(importPhotographs(assets(folder), { identities: "unknown" }), { keep });
    const unwrapped = unwrapTextures({ crops, meshes, topology: topology() }, STRICT);
    return [folder, embedFaces({ crops, meshes, unwrapped, topology: topology(), ...networks })];
  }));
  const { trees } = await reproduce(targets, quietEngine(store));
  const read = await Promise.all(folders.map(async ([folder, { least }]) => {
    const tree = trees[folder]!;
    const keys = tree.paths.map((path) => path.replace(/\.safetensors$/, ""));
    assert.ok(keys.length >= least, `${folder}: ${keys.length} faces, at least ${least} expected`);
    return [folder, await Promise.all(keys.map(async (key) => ({ key, embeddings: await readEmbeddings(tree, key) })))];
  }));
  return Object.fromEntries(read);
}

function pairsOf(faces: readonly Face[]): Pair[] {
  return faces.flatMap((a, i) => faces.slice(i + 1).map((b): Pair => [a, b]));
}

function between(some: readonly Face[], others: readonly Face[]): Pair[] {
  return some.flatMap((a) => others.map((b): Pair => [a, b]));
}

/** The person in `train/`. */
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
