/**
 * Stages `survey` and `import`: a folder of captures → upright sRGB PNGs, with what is known of each: whose face, which
 * expression, which camera. Section 3.1 of the paper starts from FaceScape's 400k photographs; FaceScape's layout is
 * read with its cameras, and any other folder as plain photographs whose parent folder names the person.
 *
 * Where the paper is silent: views that FaceScape marks invalid are left out, lens distortion is removed, and one
 * photograph that cannot be read is skipped by name and counted, while a params.json that cannot be read costs its
 * folder's photographs (their lenses are unknown).
 */

import { z } from "zod";
import type { BytePixels } from "../../face/pixels.ts";
import type { HeadAngles } from "../../nets/head_pose.ts";
import { type Artifact, cast, defineStage, itemKey, type Tree } from "@ftim/pipeline";
import {
  type Camera,
  type CanonicalFrame,
  FaceScapeError,
  headAngles,
  parseCanonicalFrames,
  parseParams,
  parseViewPath,
} from "./parts/facescape.ts";
import { decodePixels, encodePng, PhotographError } from "../faces/photograph.ts";
import { sideWithin } from "../faces/reduced_pixels.ts";
import { isDistorted, scaleCamera } from "./parts/lens.ts";

/** `<key>.json` beside each imported `<key>.png`. */
export interface ImportedImage {
  /** Path in the captures. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
  /** Size in the file after turning it upright. */
  readonly original: { readonly width: number; readonly height: number };
  /** What was done to it, in words. */
  readonly notes: readonly string[];
  /** Whose face it is; null if the folder does not say. */
  readonly identity: string | null;
  readonly expression: string | null;
  readonly view: number | null;
  /** Of the PNG: resized and without distortion; null without params.json. */
  readonly camera: Camera | null;
  /** The head's angles by the camera, degrees; null if no Rt_scale_dict.json relates the camera to the head. */
  readonly angles: HeadAngles | null;
}

/** What `survey` knows of one item before its photograph is opened. */
interface Surveyed extends Pick<ImportedImage, "identity" | "expression" | "view" | "camera" | "angles"> {
  /** The item's photographs; more than one if their names differ only after a dot. */
  readonly files: readonly string[];
  /** Why the item cannot be imported; null if it can. */
  readonly problem: string | null;
}

/** Photographs with a longer side are decoded two at a time. */
const LARGE_SIDE = 4096;

const imageName = /\.(jpe?g|png|tiff?|webp|avif|gif)$/i;

const survey = defineStage({
  name: "survey",
  module: import.meta.url,
  inputs: { captures: "captures", frames: "file?" },
  output: "surveys",
  params: z.strictObject({
    /** Outside of FaceScape's layout: whether a photograph's parent folder names the person. */
    identities: z.enum(["folders", "unknown"]).default("folders"),
  }),
  determinism: "bitwise",
  computes: { cpu: "decoding: file formats" },
  run: async ({ inputs: { captures, frames: dictionary }, params: { identities }, out, log }) => {
    const images = Map.groupBy(captures.paths.filter((path) => imageName.test(path)), itemKey);
    if (images.size === 0) {
      const some = captures.paths.slice(0, 3).join(", ");
      throw new Error(
        `there are no photographs to import: ${captures.paths.length} files${some === "" ? "" : ` (${some}, …)`}, ` +
          `none ends in .jpg, .png, .tif, .webp, .avif or .gif`,
      );
    }
    const others = captures.paths.filter((path) => !imageName.test(path) && !path.endsWith(".json"));
    if (others.length > 0) log(`${others.length} files are not photographs: ${others.slice(0, 5).join(", ")}`);
    const frames = await readFrames(dictionary ?? captures);
    const cameras = await readCameras(captures);
    for (const [key, files] of images) out.json(`${key}.json`, surveyItem(key, { files, frames, cameras, identities }));
  },
});

const importImages = defineStage({
  name: "import",
  module: import.meta.url,
  inputs: { captures: "captures", survey: "surveys" },
  output: "images",
  each: ["captures", "survey"],
  batch: 8,
  params: z.strictObject({
    /** Larger photographs are reduced to this long side, in pixels. */
    maxSide: z.number().int().min(64).default(2048),
    /** Photographs of more pixels are reduced to so many; null: no limit. */
    maxPixels: z.number().int().min(4096).nullable().default(null),
  }),
  // On one adapter; on another a level here and there may be rounded the other way.
  determinism: "bitwise",
  computes: {
    webgpu: "removal of lens distortion",
    cpu: "decoding, with reducing, and encoding: file formats",
  },
  resources: { gpu: true, memoryMiB: 512 },
  run: async ({ items, params: { maxSide, maxPixels }, log }) => {
    const limits = { maxSide, maxPixels };
    const work = async ({ key, inputs, out, skip }: typeof items[number]) => {
      const known = await inputs.survey.json<Surveyed>(`${key}.json`);
      if (known.problem !== null) {
        skip(known.problem);
        return;
      }
      const problems: string[] = [];
      for (const path of known.files) {
        const imported = await importPhotograph(await inputs.captures.bytes(path), { ...known, path, ...limits });
        if (typeof imported === "string") {
          problems.push(imported);
          continue;
        }
        const name = known.files.length === 1 ? key : `${key}/${path.slice(key.length + 1).replace(/\W+/g, "_")}`;
        out.write(`${name}.png`, imported.png);
        out.json(`${name}.json`, imported.image);
      }
      if (problems.length === known.files.length) skip(problems.join("; "));
      else for (const problem of problems) log(`skipped ${problem}`);
    };
    const { inParts } = await import("../faces/in_parts.ts");
    // Large photographs are many bytes, decoded.
    const size = maxSide > LARGE_SIDE ? 1 : items.length;
    await inParts(items, { size, work: async (part) => void await Promise.all(part.map(work)) });
  },
});

/** Options of `importPhotographs`. */
export interface ImportOptions {
  /** Larger photographs are reduced to this long side, in pixels. Default 2048. */
  readonly maxSide?: number;
  /** Photographs of more pixels are reduced to so many. Default: no limit. */
  readonly maxPixels?: number;
  /** Outside of FaceScape's layout: whether a photograph's parent folder names the person. Default "folders". */
  readonly identities?: "folders" | "unknown";
  /** FaceScape's `Rt_scale_dict.json`, where it does not lie among the captures. */
  readonly frames?: Artifact<"file"> | undefined;
}

/**
 * Imports photographs: captures in FaceScape's layout, any folder, or packaged ones.
 *
 * @returns `<key>.png` (RGB, 8 bits) and `<key>.json` ({@link ImportedImage}) for each that can be read
 */
export function importPhotographs(
  photographs: Artifact<"captures"> | Artifact<"folder"> | Artifact<"file"> | Artifact<"assets">,
  { identities, frames, ...limits }: ImportOptions = {},
): Artifact<"images"> {
  const captures = cast(photographs, "captures");
  return importImages({ captures, survey: survey({ captures, ...(frames && { frames }) }, { identities }) }, limits);
}

interface Cameras {
  readonly byView: ReadonlyMap<number, Camera>;
  readonly problem: string | null;
}

/** The frames of a tree that holds `Rt_scale_dict.json`; of another one none. */
async function readFrames(captures: Tree): Promise<Map<string, CanonicalFrame>> {
  const path = captures.paths.find((name) => /(^|\/)Rt_scale_dict\.json$/.test(name));
  return path === undefined ? new Map() : parseCanonicalFrames(await captures.text(path), path);
}

async function readCameras(captures: Tree): Promise<Map<string, Cameras>> {
  const cameras = new Map<string, Cameras>();
  for (const path of captures.paths.filter((name) => /(^|\/)params\.json$/.test(name))) {
    const folder = path.slice(0, -"params.json".length);
    try {
      cameras.set(folder, { byView: parseParams(await captures.text(path), path), problem: null });
    } catch (error) {
      if (!(error instanceof FaceScapeError)) throw error;
      cameras.set(folder, { byView: new Map(), problem: error.message });
    }
  }
  return cameras;
}

function surveyItem(
  key: string,
  { files, frames, cameras, identities }: {
    files: readonly string[];
    identities: "folders" | "unknown";
    frames: ReadonlyMap<string, CanonicalFrame>;
    cameras: ReadonlyMap<string, Cameras>;
  },
): Surveyed {
  const place = parseViewPath(key);
  const folder = key.slice(0, key.lastIndexOf("/") + 1);
  const parent = folder.split("/").at(-2) ?? null;
  const identity = place?.identity ?? (identities === "folders" ? parent : null);
  const known = cameras.get(folder);
  const base = { files, identity, expression: place?.expression ?? null, view: place?.view ?? null };
  const none = { camera: null, angles: null };
  if (known === undefined || place === null) return { ...base, ...none, problem: null };
  if (known.problem !== null) return { ...base, ...none, problem: known.problem };
  const camera = known.byView.get(place.view);
  if (camera === undefined) return { ...base, ...none, problem: `${folder}params.json has no view ${place.view}` };
  if (!camera.valid) return { ...base, ...none, problem: `${folder}params.json marks view ${place.view} as not valid` };
  const frame = frames.get(`${place.identity}/${place.expression.split("_")[0]}`);
  return { ...base, camera, angles: frame === undefined ? null : headAngles(camera, frame), problem: null };
}

async function importPhotograph(
  bytes: Uint8Array,
  { path, maxSide, maxPixels, identity, expression, view, angles, camera }: Surveyed & {
    path: string;
    maxSide: number;
    maxPixels: number | null;
  },
): Promise<{ png: Uint8Array; image: ImportedImage } | string> {
  let photograph;
  try {
    photograph = await decodePixels(bytes, { path, maxSide: await sideWithin(bytes, { maxSide, maxPixels }) });
  } catch (error) {
    if (error instanceof PhotographError) return error.message;
    throw error;
  }
  let { image } = photograph;
  const { original } = photograph;
  const notes = [...photograph.notes];
  let scaled: Camera | null = null;
  if (camera !== null) {
    if (camera.width !== original.width || camera.height !== original.height) {
      const [is, says] = [original, camera].map(({ width, height }) => `${width}×${height}`);
      return `${path}: is ${is} pixels, but params.json says ${says}`;
    }
    scaled = scaleCamera(camera, image.width / original.width);
    if (isDistorted(scaled)) {
      image = await straighten(image, scaled);
      notes.push("lens distortion removed");
    }
    scaled = { ...scaled, distortion: [0, 0, 0, 0, 0], width: image.width, height: image.height };
  }
  const { width, height } = image;
  return {
    png: await encodePng(image),
    image: { source: path, width, height, original, notes, identity, expression, view, camera: scaled, angles },
  };
}

/** The photograph without its lens's distortion. */
async function straighten(image: BytePixels, camera: Camera): Promise<BytePixels> {
  const { openTfjs } = await import("@ftim/gpu/tfjs");
  const { undistortPhotograph } = await import("../../face/undistort.ts");
  const { readPixelBytes } = await import("../../face/pixel_bytes.ts");
  const tf = await openTfjs();
  const data = new Uint8Array(image.data.length);
  let at = 0;
  for (const band of undistortPhotograph(tf, image, { camera })) {
    const [rows] = await readPixelBytes(tf, [band], "import");
    data.set(rows!, at);
    at += rows!.length;
  }
  return { ...image, data };
}
