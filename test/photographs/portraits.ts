/** The upright portraits that inputs are made of: files of training and validation persons, and faces of groups. */
import type { Rectangle } from "../../face/crop.ts";
import type { Angles } from "../../face/pose.ts";
import { asset, assetIds } from "../assets.ts";

/** A portrait as a file. */
export interface PortraitFile {
  readonly id: string;
  /** Its path below a folder for all. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A face in a group. */
export interface GroupFace {
  readonly box: Rectangle;
  readonly angles: Angles;
}

/** Photographs of groups. Their author made them for the package, so that they may be shown: see `data.lock`. */
export const GROUPS = "test/";
/** A face that is turned, bowed or tilted farther is no upright portrait, in degrees. */
const MOST_TURNED = 20;
/** Around a face's box, in parts of its sides. */
const MARGIN = 0.5;

/** Portraits that are files of their own. */
export async function filedPortraits(): Promise<PortraitFile[]> {
  const ids = assetIds("").filter((id) => /^(train|held)\/\d{3}[mf]\//.test(id));
  return await Promise.all(
    ids.map(async (id) => ({ id, path: `portraits/${id.split("/")[1]}.jpg`, bytes: await asset(id) })),
  );
}

/** Faces of a group cut out, where no other face reaches into the part. */
export async function cutPortraits(group: string, faces: readonly GroupFace[]): Promise<PortraitFile[]> {
  const { default: sharp } = await import("sharp");
  const bytes = await asset(group);
  const { width, height } = await sharp(bytes).metadata();
  const found: PortraitFile[] = [];
  for (const [i, { box, angles }] of faces.entries()) {
    const left = Math.max(0, Math.round(box.left - MARGIN * box.width));
    const top = Math.max(0, Math.round(box.top - MARGIN * box.height));
    const right = Math.min(width, Math.round(box.left + (1 + MARGIN) * box.width));
    const bottom = Math.min(height, Math.round(box.top + (1 + MARGIN) * box.height));
    const reaches = (other: Rectangle) =>
      other.left < right && other.left + other.width > left && other.top < bottom && other.top + other.height > top;
    if (
      Object.values(angles).some((angle) => Math.abs(angle) > MOST_TURNED) ||
      faces.some((other, k) => k !== i && reaches(other.box))
    ) continue;
    const part = { left, top, width: right - left, height: bottom - top };
    const id = `${group}/${i}`;
    const path = `portraits/${group.split("/")[1]!.replace(/\..*/, "")}-${i}.png`;
    found.push({ id, path, bytes: await sharp(bytes).extract(part).png().toBuffer() });
  }
  return found;
}
