import assert from "node:assert/strict";
import { leaveOutLpips } from "../../commands/leave_out_lpips.ts";
import type { Published } from "../../commands/common.ts";
import { StageError } from "@ftim/pipeline";
import { DownloadError } from "../../stages/data/parts/obtain.ts";

/** Makes that fail with `error` where LPIPS is among what is wanted; what was wanted each time, and the warnings. */
function failing(error: Error) {
  const [made, warnings]: [(readonly Published[])[], string[]] = [[], []];
  const make = (names: readonly Published[]) => {
    made.push(names);
    return names.some((name) => name.startsWith("lpips")) ? Promise.reject(error) : Promise.resolve();
  };
  return { make, warn: (message: string) => void warnings.push(message), made, warnings };
}

const unreachable = new StageError("fetch-1", "no", {
  cause: new DownloadError("lpips/alexnet.ckpt", "no connection", {}),
});

Deno.test("without LPIPS's network all else is made, and the run fails all the same", async () => {
  const run = failing(unreachable);
  await assert.rejects(
    leaveOutLpips(["table1", "lpips", "lpipsAblation"], run),
    /^Error: LPIPS alone is missing; .* lpips\/alexnet\.ckpt: no connection/,
  );
  assert.deepEqual(run.made, [["table1", "lpips", "lpipsAblation"], ["table1"]]);
  assert.match(run.warnings.join(), /^LPIPS is left out, and all else is made\. lpips\/alexnet/);
});

Deno.test("another failure, or one where nothing else is wanted, ends the run as it is", async () => {
  const other = failing(
    new StageError("fetch-1", "no", { cause: new DownloadError("test/a.jpg", "no connection", {}) }),
  );
  await assert.rejects(leaveOutLpips(["table1", "lpips"], other), /fetch-1/);
  const alone = failing(unreachable);
  await assert.rejects(leaveOutLpips(["lpips"], alone), unreachable);
  assert.deepEqual([other.made.length, alone.made.length, other.warnings, alone.warnings], [1, 1, [], []]);
  const without = failing(unreachable);
  await leaveOutLpips(["table1"], without);
  assert.deepEqual(without.made, [["table1"]]);
});
