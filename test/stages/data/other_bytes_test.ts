import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { otherBytes, readOtherBytes } from "../../../stages/data/other_bytes.ts";
import { withScratch } from "../scratch.ts";

Deno.test("files of other bytes than the published ones are named, by content and not by size", () =>
  withScratch(async ({ folder, write, run }) => {
    const found = async (options: Partial<Parameters<typeof otherBytes>[0]> = {}) => {
      const { trees } = await run({ found: otherBytes({ dataFolder: folder, ...options }) });
      return await readOtherBytes(trees.found);
    };
    const files = ["2020", "2023"].map((year) => ({
      place: `flame/${year}.pkl`,
      sha256: createHash("sha256").update(`FLAME 2020`).digest("hex"),
    }));
    for (const year of ["2020", "2023"]) await write(`flame/${year}.pkl`, `FLAME ${year}`);
    assert.deepEqual(await found({ files }), ["flame/2023.pkl"]);
    assert.deepEqual(await found(), [], "of what is not there nothing is said");
    await write("flame/generic_model.pkl", "another year's");
    await write("deca/landmark_embedding.npy", new Uint8Array(31_292));
    assert.deepEqual(await found(), ["deca/landmark_embedding.npy", "flame/generic_model.pkl"]);
  }));
