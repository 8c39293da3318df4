import assert from "node:assert/strict";
import { cast, sourceFolder } from "@ftim/pipeline";
import { decodeVideo, evenTimes, VideoError } from "../../../stages/data/parts/video_decoder.ts";
import { readPixels } from "../../../stages/faces/photograph.ts";
import { videoFrames } from "../../../stages/data/video_frames.ts";
import { asset } from "../../assets.ts";
import { withScratch } from "../scratch.ts";

const ID = "video/cap/cap13_edit2.webm";
const video = await asset(ID);

/** What is said of a file that is no whole video. */
async function complaint(bytes: Uint8Array): Promise<string> {
  try {
    for await (const _ of decodeVideo(bytes, { path: "a.webm", count: 1 }));
  } catch (error) {
    assert.ok(error instanceof VideoError, String(error));
    return error.message;
  }
  return "nothing";
}

Deno.test("a video becomes frames by person, video and time", () =>
  withScratch(async ({ folder, write, run }) => {
    await write(`videos/${ID}`, video);
    const videos = cast(sourceFolder(`${folder}/videos`), "assets");
    const { trees: { frames } } = await run({ frames: videoFrames({ videos }, { count: 4, from: 1000 }) });
    const paths = ["001000", "010840", "020680", "030560"].map((time) => `cap/0_cap13_edit2/${time}.png`);
    assert.deepEqual(frames.paths, paths);
    const pictures = await Promise.all(paths.map((path) => readPixels(frames, path)));
    for (const { width, height } of pictures) assert.deepEqual([width, height], [400, 300]);
    // A wall, beige on the left; what differs are the head and the shadows.
    for (const { data } of pictures) {
      const [red, green, blue] = data.subarray(3 * (400 * 20 + 100));
      assert.ok(red! > 150 && red! > green! && green! > blue! && blue! > 100, `${red} ${green} ${blue}`);
    }
    const differ = pictures[0]!.data.filter((value, i) => Math.abs(value - pictures[3]!.data[i]!) > 40).length;
    assert.ok(differ > 500 && differ < 0.3 * pictures[0]!.data.length, `${differ}`);
  }));

Deno.test("a file that is empty, no video or not whole is refused with the reason", async () => {
  const text = new TextEncoder().encode("no video ".repeat(400));
  assert.match(await complaint(new Uint8Array()), /^a\.webm: the file is empty/);
  assert.match(await complaint(text), /^a\.webm: not a video, or a format that cannot be read/);
  assert.match(await complaint(await asset("train/audrey/audrey.jpg")), /^a\.webm: not a video/);
  assert.match(
    await complaint(video.subarray(0, video.length >> 1)),
    /^a\.webm: truncated.* after 16\.\d s of 30\.6 s/,
  );
  assert.match(await complaint(video.subarray(0, video.length - 5000)), /^a\.webm: truncated/);
});

Deno.test("evenTimes() takes the frames that are shown at even moments", () => {
  const times = [0, 40, 80, 120, 160, 200, 240];
  assert.deepEqual([...evenTimes(times, { count: 3, from: 0 })], [0, 120, 240]);
  assert.deepEqual([...evenTimes(times, { count: 3, from: 50 })], [80, 160, 240]);
  assert.deepEqual([...evenTimes(times.toReversed(), { count: 2, from: 0 })], [0, 240]);
  assert.deepEqual([...evenTimes(times, { count: 99, from: 100 })], [120, 160, 200, 240]);
  assert.deepEqual([...evenTimes(times, { count: 1, from: 0 })], [0]);
  assert.deepEqual([...evenTimes([], { count: 3, from: 0 })], []);
});
