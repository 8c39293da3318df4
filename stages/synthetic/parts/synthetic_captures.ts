/** Makes the captures of `synthesize` and their files, some heads at a time. */
import type { Rank, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/tfjs";
import type { RgbImage } from "../../../face/image.ts";
import { readPixelBytes } from "../../../face/pixel_bytes.ts";
import type { Pixels } from "../../../face/pixels.ts";
import { formatParams } from "../../data/parts/facescape.ts";
import { encodeMesh } from "../../faces/geometry.ts";
import { inParts } from "../../faces/in_parts.ts";
import { encodeJpeg, encodePng } from "../../faces/photograph.ts";
import { castHeads, type Casting, photographHead, type Source, tintsOf } from "./synthetic_heads.ts";
import type { CapturePlan } from "./synthetic_plan.ts";
import { backgroundsOf } from "./synthetic_sources.ts";
import { cameraFor, posedMesh } from "./synthetic_studio.ts";

/** Heads at once on the device, each with some five frames. */
const PART = 4;

/** Quality of the pictures: as a camera's. */
const QUALITY = 93;

/** What captures are made of, and where they go. */
export interface CaptureOptions extends Casting {
  /** Of `backgroundCells`. */
  readonly cells: ReadonlyMap<Source, RgbImage>;
  readonly decoys: readonly Pixels[];
  /** Side of the pictures in pixels. */
  readonly side: number;
  readonly out: {
    write(path: string, content: string | Uint8Array): void;
    json(path: string, value: unknown): void;
  };
  /** Called with the number of captures that are done. */
  readonly progress: (done: number) => void;
}

/**
 * Makes captures.
 *
 * @throws {Error} if a head cannot be drawn; the message names its folder
 */
export async function makeCaptures(
  tf: Tfjs,
  captures: readonly CapturePlan[],
  options: CaptureOptions,
): Promise<void> {
  let done = 0;
  await inParts(captures, {
    size: PART,
    work: async (part) => {
      await makePart(tf, part, options);
      options.progress(done += part.length);
    },
  });
}

async function makePart(tf: Tfjs, captures: readonly CapturePlan[], options: CaptureOptions): Promise<void> {
  const { topology, cells, decoys, side, out } = options;
  const { heads, albedos, textures } = castHeads(tf, captures, options);
  const size = textures.shape[1];
  const backgrounds = backgroundsOf(tf, heads.map(({ source }) => cells.get(source)!), side);
  const owned = [albedos, textures, backgrounds];
  const shots = captures.map((capture) => ({ capture, cameras: camerasOf(capture, side) }));
  try {
    const tints = await tintsOf(tf, { heads, textures });
    const pictures = shots.map(({ capture: { id, expression, frames }, cameras }, i) => {
      const one = (map: Tensor4D) => tf.reshape<Rank.R3>(tf.slice(map, i, 1), [map.shape[1], map.shape[2], 3]);
      const shown = cameras.filter((_, view) => frames[view]!.kind === "head");
      try {
        const drawn = tf.tidy(() =>
          photographHead(tf, heads[i]!, {
            cameras: shown,
            topology,
            texture: one(textures),
            background: one(backgrounds),
            tint: tints[i]!,
          })
        );
        owned.push(drawn);
        return drawn;
      } catch (error) {
        throw new Error(`captures/${id}/${expression}: cannot be drawn: ${(error as Error).message}`, { cause: error });
      }
    });
    const read = await readPixelBytes(tf, [albedos, textures, ...pictures], "synthesize");
    const [albedoBytes, textureBytes, ...bytes] = read;
    await Promise.all(shots.map(async ({ capture: { id, expression, frames }, cameras }, i) => {
      const folder = `${id}/${expression}`;
      let shown = 0;
      const files = frames.map(async (frame, view) => {
        const key = `captures/${folder}/${view}`;
        const data = () => part(bytes[i]!, shown++, 3 * side * side);
        const picture = frame.kind === "head" ? { width: side, height: side, data: data() } : decoys[frame.decoy]!;
        if (frame.kind === "head") {
          out.write(`meshes/${key}.safetensors`, encodeMesh({ vertices: posedMesh(heads[i]!.shape, cameras[view]!) }));
        }
        out.write(`${key}.jpg`, await encodeJpeg(picture, { quality: QUALITY }));
      });
      out.json(`captures/${folder}/params.json`, formatParams(new Map(cameras.entries())));
      for (const [name, map] of [["albedo", albedoBytes!], ["texture", textureBytes!]] as const) {
        const data = part(map, i, 3 * size * size);
        files.push(
          encodePng({ width: size, height: size, data }).then((png) =>
            out.write(`textures/${folder}.${name}.png`, png)
          ),
        );
      }
      await Promise.all(files);
    }));
  } finally {
    tf.dispose(owned);
  }
}

function camerasOf({ frames, offset }: CapturePlan, side: number) {
  const straight = { yaw: 0, pitch: 0, roll: 0 };
  return frames.map((frame) => cameraFor(frame.kind === "head" ? frame.angles : straight, { side, offset }));
}

/** One of several equal parts of bytes. */
function part(bytes: Uint8Array, index: number, length: number): Uint8Array {
  return bytes.subarray(index * length, (index + 1) * length);
}
