/**
 * The bounding box of a face's landmarks, brows to chin, from the box of a detector. DECA's authors crop around both
 * (crop.ts, deca_landmark_crop.ts): to them their detector's box is 1.1 times as large as that of the landmarks, and
 * its centre lies 0.12 of its mean side above theirs. Comparators whose authors use landmarks that cannot be had are
 * cropped by this.
 */
import type { Rectangle } from "./crop.ts";

const GROWTH = 1.1;
const DOWN = 0.12;

/** The landmarks' box, with the detector's sides in their proportion. */
export function landmarkBox({ left, top, width, height }: Rectangle): Rectangle {
  const centre = { x: left + width / 2, y: top + height / 2 + DOWN * (width + height) / 2 };
  const [across, down] = [width / GROWTH, height / GROWTH];
  return { left: centre.x - across / 2, top: centre.y - down / 2, width: across, height: down };
}
