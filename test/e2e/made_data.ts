/**
 * A folder for the experiment `paper`, laid out as data.lock asks, with what can be had in place of what is licensed:
 * packaged photographs for FaceScape's and CelebA's, and for the authors' files drawn weights in their formats and
 * shapes.
 */
import sharp from "sharp";
import { asset } from "../assets.ts";
import { madeDeca, madeFlameAlbedo } from "../nets/made_deca.ts";
import { madeChen, madeDeng, madeFacenet, madeTran, madeVgg19 } from "../nets/made_networks.ts";
import { type Files, type Part, writeFiles } from "../nets/files/parts.ts";

/** FaceScape's persons: views from the left, from the front and from the right; the second person's are of three. */
const CAPTURES = {
  1: ["train/franck/franck_04000.jpg", "train/franck/franck_01829.jpg", "train/franck/franck_03909.jpg"],
  2: ["train/015f/015f.jpg", "train/028f/028f.jpg", "train/019f/019f.jpg"],
};
/** Photographs in CelebA's place. */
export const TESTED = ["train/audrey/audrey_crop.jpg", "train/obama/obama4_crop.jpg"];
/** A file in CelebA's place that is no photograph. */
export const UNREADABLE = "000009.jpg";
/** CelebA's photographs in pixels. */
const CELEBA = { width: 178, height: 218 };

/** FaceScape's captures of two persons with three views each, and CelebA's photographs. */
export async function madePhotographs(): Promise<Files> {
  const files: Record<string, Part[]> = {};
  for (const [person, views] of Object.entries(CAPTURES)) {
    for (const [i, id] of views.entries()) files[`facescape/images/${person}/1_neutral/${i}.jpg`] = [await asset(id)];
  }
  const names = TESTED.map((_, i) => `00000${i + 1}.jpg`);
  for (const [i, id] of TESTED.entries()) {
    const photograph = await sharp(await asset(id)).resize({ ...CELEBA, fit: "cover" }).jpeg().toBuffer();
    files[`celeba/img_align_celeba/${names[i]}`] = [photograph];
  }
  const list = [...names, UNREADABLE].map((name) => `${name} 2\n`).join("");
  return {
    ...files,
    ...texts({
      [`celeba/img_align_celeba/${UNREADABLE}`]: "no photograph",
      "celeba/list_eval_partition.txt": list,
      "facescape/Rt_scale_dict.json": `{"1": {"1": [1, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]]}}`,
      "facescape/publishable_list_v1.txt": "1, 2",
    }),
  };
}

function texts(of: Readonly<Record<string, string>>): Files {
  return Object.fromEntries(Object.entries(of).map(([path, text]) => [path, [new TextEncoder().encode(text)]]));
}

/** Fills a data folder: photographs, and 3 GB of networks and face models, of which a half are zeros. */
export async function fillData(data: string): Promise<void> {
  // one after the other, so that memory holds the values of one
  const makers = [madePhotographs, madeVgg19, madeDeca, madeFlameAlbedo, madeDeng, madeTran, madeChen, madeFacenet];
  for (const make of makers) writeFiles(data, await make());
}
