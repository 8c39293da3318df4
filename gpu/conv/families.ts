/**
 * Which of the two families of convolution kernels serves a shape on a device: register tiles (gather.ts) or workgroup
 * tiles (tiled.ts).
 *
 * Without a measurement register tiles serve; on a GPU, workgroup tiles serve shapes with few results. Both families
 * add in the same order and give the same bits, so the choice changes how long a run takes and not what it computes.
 * Half precision does change the result. It is off unless it is asked for, and all convolutions then run on workgroup
 * tiles, the family that has it.
 */

import { GpuError } from "../device.ts";
import type { ConvGeometry } from "./geometry.ts";

/** A family of kernels. */
export type Family = "register" | "tiled";

/** What is convolved: forward, or back to the input. The filter's gradient has one family. */
export type Direction = "forward" | "input gradient";

/** A shape that ran. */
export interface SeenShape {
  readonly geometry: ConvGeometry;
  readonly direction: Direction;
}

// With 64 results an invocation, register tiles of fewer results than these are too few to fill a large GPU. Measured
// on an H100: above, they are the faster ones.
const MANY_RESULTS = 1 << 17;

interface State {
  readonly choices: Map<string, Family>;
  readonly seen: Map<string, SeenShape>;
  half: boolean;
}

const states = new WeakMap<GPUDevice, State>();

function stateOf(device: GPUDevice): State {
  let state = states.get(device);
  if (state === undefined) states.set(device, state = { choices: new Map(), seen: new Map(), half: false });
  return state;
}

/** The name of a shape in a cache of choices. */
function shapeKey({ geometry: g, direction }: SeenShape): string {
  return `${direction} ${g.batch}×${g.inHeight}×${g.inWidth} ${g.inChannels}→${g.outChannels}` +
    ` ${g.kernelHeight}×${g.kernelWidth}` +
    ` s${g.strideHeight}×${g.strideWidth} d${g.dilationHeight}×${g.dilationWidth} p${g.padTop}×${g.padLeft}` +
    ` to ${g.outHeight}×${g.outWidth}`;
}

/** The family for a shape. The shape is remembered, to be measured by `tuneConvolutions`. */
export function familyFor(
  device: GPUDevice,
  geometry: ConvGeometry,
  { direction, software }: { readonly direction: Direction; readonly software: boolean },
): Family {
  const { choices, seen } = stateOf(device);
  const key = shapeKey({ geometry, direction });
  seen.set(key, { geometry, direction });
  return choices.get(key) ?? (software || resultsOf(geometry, direction) >= MANY_RESULTS ? "register" : "tiled");
}

function resultsOf(g: ConvGeometry, direction: Direction): number {
  return direction === "forward"
    ? g.batch * g.outHeight * g.outWidth * g.outChannels
    : g.batch * g.inHeight * g.inWidth * g.inChannels;
}

/** The shapes that have run on a device, by key. */
export function seenShapes(device: GPUDevice): ReadonlyMap<string, SeenShape> {
  return stateOf(device).seen;
}

/** Sets the family of a shape; undefined for the default. */
export function chooseFamily(device: GPUDevice, key: string, family: Family | undefined): void {
  const { choices } = stateOf(device);
  if (family === undefined) choices.delete(key);
  else choices.set(key, family);
}

/** Whether convolutions on a device round their operands to half precision. */
export function halfPrecision(device: GPUDevice): boolean {
  return stateOf(device).half;
}

/**
 * Mixed precision on or off: inputs and weights of convolutions (not of filter gradients) are rounded to half floats,
 * sums are single.
 *
 * @throws {GpuError} if the device has no "shader-f16"
 */
export function setHalfPrecision(device: GPUDevice, half: boolean): void {
  if (half && !device.features.has("shader-f16")) {
    throw new GpuError("mixed precision", [
      'this adapter has no "shader-f16"; train in single precision, or on another adapter',
    ]);
  }
  stateOf(device).half = half;
}
