import assert from "node:assert/strict";
import { lpipsNetwork, requireLpipsNetwork } from "../../experiments/lpips_network.ts";
import { withScratch } from "../stages/scratch.ts";

Deno.test("LPIPS's network: absent, it is asked for before anything is computed; another file is refused", () =>
  withScratch(async ({ folder, run }) => {
    assert.throws(
      () => requireLpipsNetwork({ data: folder }),
      /lpips_alex\.safetensors is not there: .*\/lpips\/lpips_alex[^]*PyPI[^]*docs\/lpips\.md[^]*without it: /,
    );
    Deno.mkdirSync(`${folder}/lpips`);
    Deno.writeTextFileSync(`${folder}/lpips/lpips_alex.safetensors`, "version https://git-lfs.github.com/spec/v1");
    requireLpipsNetwork({ data: folder });
    await assert.rejects(run({ network: lpipsNetwork({ data: folder }) }), /expected 9884792 bytes, got 42/);
  }));
