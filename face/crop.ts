/**
 * The square crop that DECA's networks see (Feng et al. 2021, `decalib/datasets/datasets.py`, detector boxes): side
 * 1.25 × the mean of the box's sides, its centre moved down by 0.12 of that mean, so that brows to chin are inside. A
 * crop is a scale and a shift; both directions are kept, because a result is pasted back into its photograph.
 *
 * DECA's crop may cut a forehead off. Where a mesh has been found, `outlineCrop` has all of it inside.
 */

/** A rectangle in pixels, edges and not centres; it may reach beyond the image. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A point in pixels; pixel centres at +0.5. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The similarity from photograph to crop: `crop = scale · photograph + (x, y)`, both in pixels with centres at +0.5.
 */
export interface CropTransform {
  /** Crop pixels for one photograph pixel. */
  readonly scale: number;
  readonly x: number;
  readonly y: number;
  /** Side of the crop in pixels. */
  readonly size: number;
  /** The photograph's size in pixels. */
  readonly photograph: { readonly width: number; readonly height: number };
}

/** A face cannot be cut out of its photograph where a detector places it; the message says why. */
export class FaceCropError extends RangeError {
  override name = "FaceCropError";
}

/** Options of `decaCrop`; the defaults are DECA's. */
export interface CropOptions {
  /** Side of the crop in pixels. Default 224. */
  readonly size?: number;
  /** Side of the square over the mean side of the box. Default 1.25. */
  readonly margin?: number;
  /** How far the centre moves down, in mean sides of the box. Default 0.12. */
  readonly down?: number;
}

/**
 * DECA's crop around a detected face. As there, the square's side is cut to whole pixels, and its corners fall on the
 * centres of the crop's corner pixels, hence the scale (size − 1) / side.
 *
 * @param box the detector's, in photograph pixels
 * @throws {FaceCropError} if the box is empty
 */
export function decaCrop(
  box: Rectangle,
  { size = 224, margin = 1.25, down = 0.12, photograph }: CropOptions & { photograph: CropTransform["photograph"] },
): CropTransform {
  const side = (box.width + box.height) / 2;
  const square = Math.trunc(side * margin);
  if (!(box.width > 0 && box.height > 0 && square >= 1)) {
    throw new FaceCropError(`Cannot crop a face of ${box.width}×${box.height} pixels`);
  }
  const centre = { x: box.left + box.width / 2, y: box.top + box.height / 2 + down * side };
  const scale = (size - 1) / square;
  return {
    scale,
    x: 0.5 - scale * (0.5 + centre.x - square / 2),
    y: 0.5 - scale * (0.5 + centre.y - square / 2),
    size,
    photograph: { width: photograph.width, height: photograph.height },
  };
}

/** Side of the crop over the larger side of the mesh that it is about: of DECA's crops it is so on average. */
const AROUND_MESH = 1.22;

/**
 * The crop around a face whose mesh has been found: its centre is that of the mesh's bounding box.
 *
 * @param outline the mesh's bounding box in photograph pixels
 * @throws {FaceCropError} if the box is empty
 */
export function outlineCrop(
  { left, top, width, height }: Rectangle,
  options: Pick<CropOptions, "size"> & { photograph: CropTransform["photograph"] },
): CropTransform {
  const side = Math.max(width, height);
  const square = { left: left + (width - side) / 2, top: top + (height - side) / 2, width: side, height: side };
  return decaCrop(square, { ...options, margin: AROUND_MESH, down: 0 });
}

/** A photograph's point in the crop. */
export function toCrop({ scale, x, y }: CropTransform, point: Point): Point {
  return { x: scale * point.x + x, y: scale * point.y + y };
}

/** A crop's point in the photograph. */
export function toPhotograph({ scale, x, y }: CropTransform, point: Point): Point {
  return { x: (point.x - x) / scale, y: (point.y - y) / scale };
}

/** A crop's points in the photograph: x right, y down, z larger = farther, in the pixels of each [3·V]. */
export function pointsInPhotograph(transform: CropTransform, points: Float32Array): Float64Array {
  const moved = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const { x, y } = toPhotograph(transform, { x: points[i]!, y: points[i + 1]! });
    moved.set([x, y, points[i + 2]! / transform.scale], i);
  }
  return moved;
}

/** The part of the photograph that the crop shows, in photograph pixels: what to resample to size × size. */
export function cropInPhotograph(transform: CropTransform): Rectangle {
  const corner = toPhotograph(transform, { x: 0, y: 0 });
  const side = transform.size / transform.scale;
  return { left: corner.x, top: corner.y, width: side, height: side };
}

/** The whole photograph in crop pixels: what to resample to the photograph's size to paste a crop back. */
export function photographInCrop(transform: CropTransform): Rectangle {
  const { width, height } = transform.photograph;
  return { left: transform.x, top: transform.y, width: width * transform.scale, height: height * transform.scale };
}

/** The part of the crop that shows the photograph, in crop pixels: beyond it nothing was seen. It may be empty. */
export function shownInCrop(transform: CropTransform): Rectangle {
  const whole = photographInCrop(transform);
  const [left, right] = [whole.left, whole.left + whole.width].map((x) => Math.max(0, Math.min(transform.size, x)));
  const [top, bottom] = [whole.top, whole.top + whole.height].map((y) => Math.max(0, Math.min(transform.size, y)));
  return { left: left!, top: top!, width: right! - left!, height: bottom! - top! };
}
