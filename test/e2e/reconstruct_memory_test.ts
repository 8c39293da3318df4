/** What `deno task reconstruct` takes of memory, as the system counts it. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };
import { asset, assetIds } from "../assets.ts";
import { withScratch } from "../stages/scratch.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** A machine of 2 GB has so many bytes for it, beside its system. */
const MOST = 1.2e9;

/** The most memory that a process has held, in bytes, as long as it lives; null afterwards. */
async function peakOf(pid: number): Promise<number | null> {
  // Deno reads nothing of /proc unless it may do everything.
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/status`], stderr: "null" }).output();
  const found = /^VmHWM:\s*(\d+) kB$/m.exec(new TextDecoder().decode(stdout))?.[1];
  return found === undefined ? null : 1024 * Number(found);
}

/** Runs the command of the task, and returns what it said and the most memory that it held. */
async function reconstruct(args: readonly string[]): Promise<{ peak: number; said: string; success: boolean }> {
  const words = config.tasks.reconstruct.command.split(" ");
  const program = words.indexOf("deno");
  const env = Object.fromEntries(words.slice(0, program).map((word) => word.split("=") as [string, string]));
  const child = new Deno.Command(Deno.execPath(), {
    args: [...words.slice(program + 1), ...args],
    cwd: ROOT,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let [peak, over] = [0, false];
  const ended = child.output().finally(() => over = true);
  while (!over) {
    peak = Math.max(peak, await peakOf(child.pid) ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { success, stdout, stderr } = await ended;
  return { peak, success, said: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n") };
}

Deno.test({
  name: "one photograph is reconstructed at full size in 1.2 GB",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withScratch(async ({ folder, write }) => {
      await write("one.jpg", await asset("held/010m/010m.jpg"));
      const places = ["--output", `${folder}/out`, "--store", `${folder}/store`];
      const { peak, success, said } = await reconstruct([`${folder}/one.jpg`, ...places]);
      assert.ok(success, said);
      assert.ok(peak > 3e8 && peak < MOST, `${(peak / 1e6).toFixed(0)} MB`);
    }),
});

Deno.test({
  name: "25 photographs at once, one of 12 megapixels, are reconstructed at full size in 1.2 GB",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withScratch(async ({ folder, write }) => {
      const { default: sharp } = await import("sharp");
      const ids = assetIds("").filter((id) => /^(train|held)\/\d{3}[mf]\//.test(id)).slice(0, 25);
      for (const id of ids.slice(1)) await write(`photographs/${id.split("/")[1]}.jpg`, await asset(id));
      const large = sharp(await asset(ids[0]!)).resize(4032, 3024, { fit: "contain" }).jpeg();
      await write("photographs/large.jpg", await large.toBuffer());
      const places = ["--output", `${folder}/out`, "--store", `${folder}/store`];
      const { peak, success, said } = await reconstruct([`${folder}/photographs`, ...places]);
      assert.ok(success, said);
      assert.ok(peak > 3e8 && peak < MOST, `${(peak / 1e6).toFixed(0)} MB`);
    }),
});
