/** Places in a photograph that had to be reduced, in the pixels of its file. */
import type { Rectangle } from "../../face/crop.ts";
import type { FaceRecord } from "../../stages/methods/head.ts";

/**
 * A rectangle in pixels of the file.
 *
 * @param pixel how many of the file's pixels one of the reduced photograph's is long
 */
export function boxInFile<Box extends Rectangle>(box: Box, pixel: number): Box {
  if (pixel === 1) return box;
  const { left, top, width, height } = box;
  return { ...box, left: pixel * left, top: pixel * top, width: pixel * width, height: pixel * height };
}

/** All that is in pixels in a face's record, in those of the file; the size of `photograph.png` stays as it is. */
export function recordInFile(record: FaceRecord, pixel: number): FaceRecord {
  if (pixel === 1) return record;
  const times = (values: readonly (readonly number[])[], digits: (value: number) => number) =>
    values.map((row) => row.map((value) => digits(pixel * value)));
  const { box, crop, camera, landmarks } = record;
  return {
    ...record,
    box: boxInFile(box, pixel),
    crop: { ...crop, scale: crop.scale / pixel },
    camera: { ...camera, matrix: times(camera.matrix, (value) => Number(value.toPrecision(8))) },
    landmarks: { ...landmarks, points: times(landmarks.points, (value) => Number(value.toFixed(2))) },
  };
}
