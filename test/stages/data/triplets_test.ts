import assert from "node:assert/strict";
import { createImage } from "../../../face/image.ts";
import { cast, sourceFile, sourceFolder } from "@ftim/pipeline";
import { type Detection } from "../../../stages/data/detect.ts";
import { extrinsics, formatCanonicalFrames, formatParams } from "../../../stages/data/parts/facescape.ts";
import { asset } from "../../../stages/data/fetch.ts";
import { importPhotographs } from "../../../stages/data/import.ts";
import { encodePng } from "../../../stages/faces/photograph.ts";
import { estimatePose } from "../../../stages/data/pose.ts";
import { buildTriplets, type Triplets, type YawBins } from "../../../stages/data/triplets.ts";
import { withScratch } from "../scratch.ts";

const poser = asset("models/fr_pose.onnx");

/** Captures of two identities whose angles are known from their cameras, and where the faces are. */
async function writeCaptures(
  write: (path: string, content: Uint8Array | string) => Promise<void>,
  yaws: readonly number[],
) {
  const photo = await encodePng(createImage({ width: 32, height: 24 }));
  const frames = new Map<string, { scale: number; rt: number[][] }>();
  for (const identity of ["1", "2"]) {
    const cameras = new Map(yaws.map((yaw, view) => [view, {
      k: [[40, 0, 16], [0, 40, 12], [0, 0, 1]],
      rt: extrinsics({ yaw, pitch: 0, roll: 0 }, 600),
      distortion: [0, 0, 0, 0, 0],
      width: 32,
      height: 24,
      valid: true,
    }]));
    for (const view of cameras.keys()) {
      await write(`captures/${identity}/1_neutral/${view}.png`, photo);
      const detection: Detection = {
        width: 32,
        height: 24,
        faces: [{ left: 8, top: 10, width: 12, height: 12, score: 0.9 }],
        found: 1,
      };
      await write(`detections/${identity}/1_neutral/${view}.json`, JSON.stringify(detection));
    }
    await write(`captures/${identity}/1_neutral/params.json`, JSON.stringify(formatParams(cameras)));
    frames.set(`${identity}/1`, { scale: 1, rt: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]] });
  }
  await write("captures/Rt_scale_dict.json", JSON.stringify(formatCanonicalFrames(frames)));
}

Deno.test("triplets from known angles: chosen, counted, and replayed from the CSV", () =>
  withScratch(async ({ folder, write, run }) => {
    await writeCaptures(write, [-120, -40, 0, 5, 35, 60]);
    const images = importPhotographs(sourceFolder(`${folder}/captures`));
    const detections = cast(sourceFolder(`${folder}/detections`), "detections");
    const poses = estimatePose({ images, detections, network: poser }, { from: "camera" });
    const { trees } = await run({ triplets: buildTriplets({ images, poses }, { count: 4, seed: 1 }) });
    const { triplets, funnel } = await trees.triplets.json<Triplets>("triplets.json");
    assert.deepEqual(funnel, { photographs: 12, beyond: 2, inBins: [2, 4, 4], groups: 2, possible: 8, chosen: 4 });
    assert.deepEqual(triplets.map(({ identity }) => identity), ["1", "1", "2", "2"]);
    assert.equal(triplets[0]?.views[0], "1/1_neutral/1/0");
    assert.equal(Math.round(triplets[0]?.yaws[0] ?? 0), -40);

    const bins: YawBins = [[-180, -10], [-10, 10], [10, 180]];
    const wide = await run({ triplets: buildTriplets({ images, poses }, { bins }) });
    assert.deepEqual((await wide.trees.triplets.json<Triplets>("triplets.json")).funnel.inBins, [2, 4, 4]);

    await write("picked.csv", await trees.triplets.text("triplets.csv"));
    const picked = sourceFile(`${folder}/picked.csv`);
    const again = await run({ triplets: buildTriplets({ images, poses, picked }) });
    assert.deepEqual((await again.trees.triplets.json<Triplets>("triplets.json")).triplets, triplets);
  }));

Deno.test("no triplet possible is an error that says what there was", () =>
  withScratch(async ({ folder, write, run }) => {
    await writeCaptures(write, [0, 35]);
    const images = importPhotographs(sourceFolder(`${folder}/captures`));
    const detections = cast(sourceFolder(`${folder}/detections`), "detections");
    const poses = estimatePose({ images, detections, network: poser }, { from: "camera" });
    await assert.rejects(
      run({ triplets: buildTriplets({ images, poses }) }),
      /no triplet can be built from 4 photographs: 0 in \[-90°, -10°\], 2 in \[-10°, 10°\], 2 in \[10°, 90°\]/,
    );
  }));
