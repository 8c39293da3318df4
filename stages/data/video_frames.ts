/**
 * Videos of people as photographs: some frames of each, evenly spaced in time, in the layout that captures have. The
 * paper takes three photographs of one moment; of a person who turns the head before one camera in constant light,
 * three frames with one expression are the same, taken one after the other.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";

/**
 * Videos `video/<person>/<video>.webm` → `<person>/<k>_<video>/<milliseconds>.png`: k counts a person's videos from 0
 * by name, and a frame is named by its time.
 */
export const videoFrames = defineStage({
  name: "video_frames",
  module: import.meta.url,
  inputs: { videos: "assets" },
  output: "captures",
  params: z.strictObject({
    /** Frames of a video, at most. */
    count: z.int().min(1).default(120),
    /** Frames before this time are left out, in milliseconds: an encoder that does not look ahead starts coarse. */
    from: z.int().min(0).default(1000),
  }),
  determinism: "bitwise",
  computes: { cpu: "decoding and encoding: file formats" },
  run: async ({ inputs: { videos }, params: { count, from }, out, log, progress, signal }) => {
    const { encodePng } = await import("../faces/photograph.ts");
    const { decodeVideo } = await import("./parts/video_decoder.ts");
    let done = 0;
    const persons = Map.groupBy(videos.paths.toSorted(), (path) => path.split("/").at(-2)!);
    for (const [person, paths] of persons) {
      for (const [k, path] of paths.entries()) {
        const name = path.split("/").at(-1)!.replace(/\.[^.]*$/, "");
        let [frames, size] = [0, ""];
        for await (const { time, image } of decodeVideo(await videos.bytes(path), { path, count, from, signal })) {
          out.write(`${person}/${k}_${name}/${String(time).padStart(6, "0")}.png`, await encodePng(image));
          size = `${image.width}×${image.height}`;
          frames++;
        }
        log(`${path}: ${frames} frames of ${size}`);
        progress(++done, videos.paths.length);
      }
    }
  },
});
