/** What the experiments read of data.lock: every entry, and none of those that no code reads yet. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { embedded } from "../../experiments/embedded.ts";
import { paper } from "../../experiments/paper.ts";
import type { Artifact } from "@ftim/pipeline";
import { asset, dataLock } from "../../stages/data/fetch.ts";
import { assetIds } from "../assets.ts";
import { putOptionalFiles } from "./network_files.ts";

/** What is read while a graph is built, and is no artifact. */
const READ_AT_ONCE = ["paper/facescape/publishable_list_v1.txt"];
/** Networks that no experiment uses yet or tests ask for a second opinion, and the photographs that no set has. */
const READ_BY_TESTS = ["models/fr_landmark.onnx", ...assetIds("pairs/")];

Deno.test("every entry of data.lock is read by an experiment, LPIPS included, or by a named test", async () => {
  const read = new Set((await experiments()).flatMap((artifacts) => [...idsIn(Object.values(artifacts))]));
  const { assets, later } = dataLock();
  assert.deepEqual([...assets.keys()].filter((id) => !read.has(id)), [...READ_BY_TESTS, ...READ_AT_ONCE]);
  assert.deepEqual([...read].filter((id) => !assets.has(id)), []);
  assert.ok(later.size > 0);
});

Deno.test("the published tables fetch no photograph that only the second sets have", () => {
  const folders = (options: Parameters<typeof embedded>[0]) =>
    new Set([...idsIn(Object.values(embedded(options)))].map((id) => id.split("/")[0]!));
  const fetched = ["models", "train", "held", "test", "decoy", "font", "lpips", "video"];
  assert.deepEqual(folders({}), new Set(fetched));
  assert.deepEqual(folders({ sets: "second", on: "validation" }), new Set([...fetched, "more"]));
});

Deno.test("what no code reads yet is refused by name, with what to do", () => {
  for (const id of dataLock().later.keys()) {
    assert.throws(() => asset(id), new RegExp(`No code reads "${id}" yet.*Move it from later to entries in data.lock`));
  }
});

/**
 * Both experiments: `embedded` without and with the user's copy of LPIPS's network and with the second sets, `paper`
 * with an empty data folder, and with one that has all optional files and lacks FaceScape and CelebA's
 * partition, with each regressor.
 */
async function experiments(): Promise<Record<string, unknown>[]> {
  const folder = await Deno.makeTempDir({ prefix: "ftim-assets-" });
  try {
    const empty = paper({ data: folder });
    await Deno.mkdir(join(folder, "celeba/img_align_celeba"), { recursive: true });
    await Deno.mkdir(join(folder, "vgg19"));
    await Deno.writeTextFile(join(folder, "vgg19/vgg19_relu4_2.safetensors"), "");
    putOptionalFiles(folder);
    await Deno.mkdir(join(folder, "lpips"));
    await Deno.mkdir(join(folder, "bfm"), { recursive: true });
    await Deno.writeTextFile(join(folder, "bfm/FLAME_albedo_from_BFM.npz"), "");
    const packaged = embedded({ data: folder });
    await Deno.writeTextFile(join(folder, "lpips/lpips_alex.safetensors"), "");
    const second = embedded({ sets: "second" });
    const withDeca = paper({ data: folder, regressor: "deca" });
    return [packaged, embedded({ data: folder }), second, empty, paper({ data: folder }), withDeca];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The ids of data.lock that `fetch` and `admit` would give below some values, and of what is read in place. */
function idsIn(values: readonly unknown[]): Set<string> {
  const ids = new Set<string>();
  const seen = new Set<unknown>();
  const queue = [...values];
  for (let value = queue.pop(); queue.length > 0 || value !== undefined; value = queue.pop()) {
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    const { type, form, path } = value as Partial<Extract<Artifact["node"], { type: "source" }>>;
    const place = path?.replace(/\/$/, "").split("/").slice(-2).join("/");
    if (type === "source") ids.add(`paper/${place}${form === "folder" ? "/" : ""}`);
    const { stage, params } = value as Partial<Extract<Artifact["node"], { type: "stage" }>>;
    if (stage?.name === "fetch") {
      for (const { id } of (params as { files: { id: string }[] }).files) ids.add(id);
    } else if (stage?.name === "admit") {
      ids.add((params as { id: string }).id);
      continue;
    }
    queue.push(...Object.entries(value).flatMap(([name, inner]) => name === "stage" ? [] : [inner]));
  }
  return ids;
}
