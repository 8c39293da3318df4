/** What `deno task reconstruct` takes of memory, as the system counts it. */
import assert from "node:assert/strict";
import { asset, assetIds } from "../assets.ts";
import { withScratch } from "../stages/scratch.ts";
import { runTask } from "./task.ts";

/** A machine of 2 GB has so many bytes for it, beside its system. */
const MOST = 1.2e9;
/** Of 25 photographs; it differs by 40 MB from run to run. */
const MOST_OF_MANY = 1.25e9;

Deno.test({
  name: "one photograph is reconstructed at full size in 1.2 GB",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withScratch(async ({ folder, write }) => {
      await write("one.jpg", await asset("held/010m/010m.jpg"));
      const places = ["--output", `${folder}/out`, "--store", `${folder}/store`];
      const { code, err, peak } = await runTask("reconstruct", [`${folder}/one.jpg`, ...places]);
      assert.equal(code, 0, err);
      assert.ok(peak > 3e8 && peak < MOST, `${(peak / 1e6).toFixed(0)} MB`);
    }),
});

Deno.test({
  name: "25 photographs at once, one of 12 megapixels, are reconstructed at full size in 1.25 GB",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withScratch(async ({ folder, write }) => {
      const { default: sharp } = await import("sharp");
      const ids = assetIds("").filter((id) => /^(train|held)\/\d{3}[mf]\//.test(id)).slice(0, 25);
      for (const id of ids.slice(1)) await write(`photographs/${id.split("/")[1]}.jpg`, await asset(id));
      const large = sharp(await asset(ids[0]!)).resize(4032, 3024, { fit: "contain" }).jpeg();
      await write("photographs/large.jpg", await large.toBuffer());
      const places = ["--output", `${folder}/out`, "--store", `${folder}/store`];
      const { code, err, peak } = await runTask("reconstruct", [`${folder}/photographs`, ...places]);
      assert.equal(code, 0, err);
      assert.ok(peak > 3e8 && peak < MOST_OF_MANY, `${(peak / 1e6).toFixed(0)} MB`);
    }),
});
