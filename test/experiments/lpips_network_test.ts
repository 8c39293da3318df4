import assert from "node:assert/strict";
import { lpipsDownloadFailure, lpipsNetwork } from "../../experiments/lpips_network.ts";
import { StageError } from "@ftim/pipeline";
import { DownloadError } from "../../stages/data/parts/obtain.ts";
import { withScratch } from "../stages/scratch.ts";

Deno.test("LPIPS's network is the packaged one, or the user's copy where there is one, which must be the same", () =>
  withScratch(async ({ folder, run }) => {
    const { trees: { network } } = await run({ network: lpipsNetwork({ data: folder }) });
    assert.deepEqual(network.paths, ["lpips/alexnet.ckpt"]);
    Deno.mkdirSync(`${folder}/lpips`);
    Deno.writeTextFileSync(`${folder}/lpips/lpips_alex.safetensors`, "version https://git-lfs.github.com/spec/v1");
    await assert.rejects(run({ network: lpipsNetwork({ data: folder }) }), (error) => {
      assert.match(String(error), /expected 9884792 bytes, got 42/);
      assert.equal(lpipsDownloadFailure(error), null);
      return true;
    });
  }));

Deno.test("only a failed download of LPIPS's network counts as one", () => {
  const failed = (id: string) => new StageError("fetch-1", "", { cause: new DownloadError(id, "no connection", {}) });
  assert.equal(lpipsDownloadFailure(failed("lpips/alexnet.ckpt")), "lpips/alexnet.ckpt: no connection");
  assert.equal(lpipsDownloadFailure(failed("models/faceres.bin")), null);
  assert.equal(lpipsDownloadFailure(new StageError("fetch-1", "")), null);
  assert.equal(lpipsDownloadFailure(new Error("no")), null);
});
