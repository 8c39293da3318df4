/**
 * What lies in the user's data folder for the experiment `paper`: each file that data.lock names is opened by the
 * reader of its format and recognised by its tensors, a text by its lines, a folder by what is in it; where the
 * published bytes are known, by their hash too. Nothing is computed, and no file is changed.
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { hashFile } from "@ftim/pipeline";
import { inWords, type LayoutName, LAYOUTS, missing } from "../../../nets/files/layouts.ts";
import { notTensors } from "../../../nets/files/not_tensors.ts";
import { openTensors } from "../../../nets/files/open_tensors.ts";
import { TensorFileError } from "../../../nets/files/source.ts";
import { FLAME_TRIANGLES } from "../../../nets/flame_file.ts";
import { readFlameLandmarks } from "../../../nets/flame_landmarks_file.ts";
import { readTranDefinition } from "../../../nets/tran_definition.ts";
import { decodePixels, PhotographError } from "../../faces/photograph.ts";
import type { Asset, DataLock } from "./data_lock.ts";
import { PUBLISHABLE_LIST } from "./publishable_list.ts";
import { checkDataFolder } from "./obtain.ts";
import { fileSource } from "./file_source.ts";

/** What was found in the place of a file. */
export interface FoundFile {
  readonly asset: Asset;
  readonly path: string;
  /** Whether a stage reads it; the others are recognised and then left alone. */
  readonly read: boolean;
  readonly status: "present" | "other" | "absent" | "wrong";
  /** What it is. Of what is other bytes than the published file, or wrong: what it is instead. */
  readonly says: string;
}

type Verdict = Pick<FoundFile, "status" | "says">;

/** What the files of tensors must hold. */
const HOLDS: Readonly<Record<string, LayoutName>> = {
  "paper/bfm/01_MorphableModel.mat": "bfm2009",
  "paper/bfm/FLAME_albedo_from_BFM.npz": "flameAlbedo",
  "paper/bfm/model2017-1_bfm_nomouth.h5": "bfm2017",
  "paper/deca/deca_model.tar": "deca",
  "paper/deng/BFM_model_front.mat": "bfmFront",
  "paper/deng/epoch_20.pth": "deng",
  "paper/deng/similarity_Lm3D_all.mat": "standardLandmarks",
  "paper/facenet/20180402-114759-vggface2.pt": "facenet",
  "paper/flame/generic_model.pkl": "flame",
  "paper/vgg19/vgg19-dcbb9e9d.pth": "vgg19",
  "paper/vgg19/vgg19_relu4_2.safetensors": "vgg19",
};

/** Files that have a reader of their own, and what they hold in words. */
const READERS: Readonly<Record<string, (path: string) => Promise<string>>> = {
  "paper/deca/landmark_embedding.npy": async (path) => {
    const { fixed } = await readFlameLandmarks(await fileSource(path), { triangles: FLAME_TRIANGLES });
    return `${fixed.triangles.length} landmarks on FLAME's head`;
  },
  "paper/deca/uv_face_eye_mask.png": async (path) => {
    const { image: { width, height } } = await decodePixels(await Deno.readFile(path), { path });
    if (width !== height) throw new PhotographError(`${path}: a mask of a chart is square, not ${width}×${height}`);
    return `a mask of ${width}×${height} texels`;
  },
};

/** What a file is whose tensors fit and whose hash does not. */
const OTHERWISE: Readonly<Record<string, string>> = {
  "paper/flame/generic_model.pkl":
    "expected is FLAME of 2020; this is of another year (2023 has the same shapes), or a copy that was converted",
};

/** How texts begin, and the MD5 of the published ones (torchvision/datasets/celeba.py). */
const TEXTS: Readonly<Record<string, { readonly begins: RegExp; readonly what: string; readonly md5?: string }>> = {
  "paper/celeba/identity_CelebA.txt": {
    begins: /^\d{6}\.jpg \d+\s/,
    what: 'lines such as "000001.jpg 2880"',
    md5: "32bd1bd63d3c78cd57e08160ec5ed1e2",
  },
  "paper/celeba/list_attr_celeba.txt": {
    begins: /^\d+\s+5_o_Clock_Shadow/,
    what: "a count and the names of attributes",
    md5: "75e246fa4810816ffd6ee81facbd244c",
  },
  "paper/celeba/list_eval_partition.txt": {
    begins: /^\d{6}\.jpg [012]\s/,
    what: 'lines such as "000001.jpg 0"',
    md5: "d32c9cbf5e040fd4025c592c306e6668",
  },
  "paper/celeba/list_landmarks_align_celeba.txt": {
    begins: /^\d+\s+lefteye_x/,
    what: "a count and the names of landmarks",
    md5: "cc24ecafdb5b50baae59b03474781f8c",
  },
  "paper/facescape/Rt_scale_dict.json": { begins: /^\s*\{\s*"\d+"/, what: "a JSON object by person" },
  "paper/facescape/publishable_list_v1.txt": {
    begins: PUBLISHABLE_LIST,
    what: "numbers of persons and commas alone",
  },
  "paper/flame/head_template.obj": {
    begins: /^(#[^\n]*\n|mtllib[^\n]*\n|o [^\n]*\n|\s)*v /,
    what: "the vertices of an OBJ file",
  },
};

/** Photographs of CelebA. */
const CELEBA_PHOTOGRAPHS = 202_599;
/** Files of a folder that hold tensors. */
const TENSORS = /\.(index|mat|npz|npy|pth|pt|h5|onnx|safetensors)$/;

/** What must be among the files of tensors in a folder and in the folders in it. */
const FOLDERS: Readonly<Record<string, readonly LayoutName[]>> = {
  "paper/chen/ckpts/": ["chenCoarse", "chenFine"],
  "paper/chen/resources/": ["chenModel"],
  "paper/tran/checkpoint/": ["tran"],
};

/** Looks in a data folder for every file of the experiment `paper`, read by a stage or not. */
export async function paperFiles(
  dataFolder: string,
  { assets, later }: Pick<DataLock, "assets" | "later">,
): Promise<FoundFile[]> {
  await checkDataFolder(dataFolder);
  const wanted = [...assets.values(), ...later.values()].filter(({ id }) => id.startsWith("paper/"));
  const found: FoundFile[] = [];
  for (const asset of wanted) {
    const path = join(dataFolder, asset.source.slice("user:".length)).replace(/\/$/, "");
    found.push({ asset, path, read: assets.has(asset.id), ...await look(asset, path) });
  }
  return found;
}

/** What lies in the place of one file. */
export async function look(asset: Asset, path: string): Promise<Verdict> {
  const isFolder = asset.source.endsWith("/");
  try {
    const { isDirectory } = await Deno.stat(path);
    if (isDirectory !== isFolder) {
      return {
        status: "wrong",
        says: isFolder ? "it is a file; a folder is expected" : "it is a folder; a file is expected",
      };
    }
    if (isFolder) return await lookIntoFolder(asset.id, path);
    if (TEXTS[asset.id] !== undefined) return await lookAtText(asset.id, path);
    const read = READERS[asset.id];
    return read === undefined
      ? await lookAtTensors(asset, path)
      : await compared(asset, { path, what: await read(path) });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { status: "absent", says: asset.shared.title };
    if (error instanceof TensorFileError || error instanceof PhotographError) {
      return { status: "wrong", says: error.message.replace(`Cannot read ${path}: `, "").replace(`${path}: `, "") };
    }
    if (error instanceof Deno.errors.PermissionDenied) return { status: "wrong", says: "it may not be read" };
    throw error;
  }
}

async function lookAtTensors(asset: Asset, path: string): Promise<Verdict> {
  const layout = HOLDS[asset.id];
  const file = await openTensors(await fileSource(path), { strip: ["module."] });
  if (layout === undefined) return { status: "present", says: `a ${file.format}` };
  const { title } = LAYOUTS[layout];
  const difference = missing(file, layout);
  if (difference !== null) {
    return { status: "wrong", says: `it is ${inWords(file)}. Expected is ${title}, and ${difference}` };
  }
  return await compared(asset, { path, what: `${title}: a ${file.format} of ${file.tensors.size} tensors`, title });
}

/** A file whose contents fit, compared with the published one where its hash is known. */
async function compared(
  { id, sha256, size }: Asset,
  { path, what, title = what }: { path: string; what: string; title?: string },
): Promise<Verdict> {
  if (sha256 === null) return { status: "present", says: `${what}, recognised by their shapes` };
  const isPublished = (await Deno.stat(path)).size === size && (await hashFile(path)).sha256 === sha256;
  if (isPublished) return { status: "present", says: `${what}, recognised by its hash` };
  return {
    status: "other",
    says: `it has the shapes of ${title}, and other bytes than the published file (sha256 ${sha256.slice(0, 8)}…, ` +
      `${size} bytes): ${
        OTHERWISE[id] ?? "other weights, or a copy that was converted"
      }. It is read, and Table 1 says so`,
  };
}

async function lookAtText(id: string, path: string): Promise<Verdict> {
  const { begins, what, md5 } = TEXTS[id]!;
  const bytes = await Deno.readFile(path);
  const fault = notTensors({ size: bytes.length }, bytes.subarray(0, 1024));
  if (fault !== null) return { status: "wrong", says: fault };
  const text = new TextDecoder().decode(bytes.subarray(0, 1 << 16));
  if (!begins.test(text)) return { status: "wrong", says: `it does not begin with ${what}` };
  const lines = `${text.length === 0 ? 0 : countLines(bytes)} lines`;
  if (md5 === undefined) return { status: "present", says: `${lines}, recognised by their beginning` };
  const same = createHash("md5").update(bytes).digest("hex") === md5;
  return {
    status: "present",
    says: same
      ? `${lines}, recognised by its hash`
      : `${lines} of the right form; its hash is not the published file's`,
  };
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === 10) count++;
  return count;
}

async function lookIntoFolder(id: string, path: string): Promise<Verdict> {
  const names = (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
  if (id === "paper/facescape/images/") {
    const persons = names.filter((name) => /^\d+$/.test(name)).length;
    if (persons < 2) {
      return { status: "wrong", says: `${persons} persons; at least two are needed, as <id>/<k_expression>/` };
    }
    return { status: "present", says: `${persons} persons` };
  }
  if (id === "paper/celeba/img_align_celeba/") {
    const photographs = names.filter((name) => /^\d{6}\.jpg$/.test(name)).length;
    if (photographs === 0) return { status: "wrong", says: "it holds no photograph such as 000001.jpg" };
    return { status: "present", says: `${photographs} of ${CELEBA_PHOTOGRAPHS} photographs` };
  }
  if (names.length === 0) return { status: "wrong", says: "it is empty" };
  if (id === "paper/tran/3DMM_definition/") {
    const { mean, triangles } = await readTranDefinition((name) => openNamed(join(path, name)));
    return { status: "present", says: `a mesh of ${mean.length / 3} vertices and ${triangles.length / 3} triangles` };
  }
  const files = (await tensorFilesIn(path, { depth: 1 })).sort();
  const wanted = new Set(FOLDERS[id]);
  const holds: string[] = [];
  for (const name of files) {
    try {
      const file = await openTensors(await fileSource(name));
      const layout = [...wanted].find((one) => missing(file, one) === null);
      if (layout !== undefined) {
        wanted.delete(layout);
        holds.push(LAYOUTS[layout].title);
      }
    } catch (error) {
      if (!(error instanceof TensorFileError)) throw error;
      return { status: "wrong", says: error.message };
    }
  }
  const count = `${files.length} files of tensors`;
  if (wanted.size === 0) return { status: "present", says: `${count}; it holds ${holds.join(" and ")}` };
  const absent = [...wanted].map((layout) => LAYOUTS[layout].title).join(" and ");
  return { status: "wrong", says: `${count}; none holds ${absent}` };
}

/** Files that hold tensors, in a folder and in those in it. */
async function tensorFilesIn(folder: string, { depth }: { depth: number }): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && depth > 0) found.push(...await tensorFilesIn(join(folder, name), { depth: depth - 1 }));
    else if (TENSORS.test(name)) found.push(join(folder, name));
  }
  return found;
}

/** A file that must be there. */
async function openNamed(path: string): ReturnType<typeof fileSource> {
  try {
    return await fileSource(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new TensorFileError(`${basename(path)} is not in it`);
    throw error;
  }
}
