/** A device that is lost in mid-stage. A test file has a device of its own, so that none but these tests lose it. */
import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { reproduce, StageError, statusOf } from "@ftim/pipeline";
import { quietEngine } from "../engine.ts";
import { makeFace } from "./face_lab.ts";
import { geometryStages, layFaces } from "./geometry_lab.ts";
import { withScratch } from "./scratch.ts";

Deno.test("a device that is lost while a stage computes: the stage and its faces are named, and none is recorded", () =>
  withScratch(async (scratch) => {
    await layFaces(scratch, { "a/0": makeFace(), "b/0": makeFace({ yaw: 20 }) });
    const { unwrapped, regressed, guesses } = geometryStages(scratch.folder);
    const engine = quietEngine(`${scratch.folder}/../store`);
    await reproduce({ unwrapped, regressed }, engine);
    const { device } = await openGpu();
    const submit = device.queue.submit.bind(device.queue);
    device.queue.submit = (commands) => {
      submit(commands);
      device.destroy();
    };
    await assert.rejects(reproduce({ guesses }, engine), (error) => {
      assert.ok(error instanceof StageError);
      assert.deepEqual([error.stage, error.items.toSorted()], ["guess", ["a/0", "b/0"]]);
      assert.match(error.message, /^stage "guess" \(item a\/0, b\/0\): .*the device was lost/);
      return true;
    });
    const states = await statusOf({ guesses }, engine);
    assert.deepEqual(states.flatMap(({ label, state }) => state === "fresh" ? [label] : []).sort(), [
      "fetch",
      "regress",
      "unwrap",
    ]);
  }));
