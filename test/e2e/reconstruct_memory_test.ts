/** What `deno task reconstruct` takes of memory, as the system counts it. */
import assert from "node:assert/strict";
import { asset } from "../assets.ts";
import { withScratch } from "../stages/scratch.ts";
import { runTask } from "./task.ts";

/** A machine of 2 GB has so many bytes for it, beside its system. */
const MOST = 1.2e9;

Deno.test({
  name: "one photograph is reconstructed at full size in 1.2 GB",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withScratch(async ({ folder, write }) => {
      await write("one.jpg", await asset("held/010m/010m.jpg"));
      const places = ["--output", `${folder}/out`, "--store", `${folder}/store`];
      const { peak, code, out, err } = await runTask("reconstruct", [`${folder}/one.jpg`, ...places]);
      assert.equal(code, 0, `${out}\n${err}`);
      assert.ok(peak > 3e8 && peak < MOST, `${(peak / 1e6).toFixed(0)} MB`);
    }),
});
