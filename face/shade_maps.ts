/**
 * Shading of normals on the device in one pass: `shade` of light_cpu.ts for a batch of maps. Where a gradient is
 * wanted, shade_tensor.ts has it; this is for results, and takes a tenth of the time on a software adapter, because the
 * bands are written nowhere.
 */
import type { Tensor } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";
import { LIGHT_BANDS } from "./light.ts";
import { BASIS, readLight, SHADING } from "./light_wgsl.ts";

/** Normals that an invocation shades, so that the light is read once for all of them. */
const SHARE = 16;

/**
 * Shading of each normal by the light of its batch entry.
 *
 * @param normals [B, …, 3], unit vectors: x right, y up, z to the viewer
 * @param light [B, 27], band-major, RGB last, as in light.ts
 * @returns [B, …, 3]; not clamped
 * @throws {RangeError} if the shapes do not fit
 */
export function shadeMaps(tf: Tfjs, normals: Tensor, light: Tensor): Tensor {
  const [batch = 0] = normals.shape;
  if (batch === 0 || normals.shape.at(-1) !== 3 || light.shape[0] !== batch || light.size !== batch * 3 * LIGHT_BANDS) {
    throw new RangeError(
      `Cannot shade: normals [${normals.shape}] and light [${light.shape}] must be [B, …, 3] and [B, 27]`,
    );
  }
  const count = normals.size / 3 / batch;
  const slots = Math.ceil(count / SHARE);
  return run(tf, {
    key: "shade_maps",
    code,
    inputs: [normals, light],
    shape: normals.shape,
    uniforms: [batch * slots, count, slots],
    invocations: batch * slots,
  });
}

function code(): string {
  return program({
    result: "f32",
    inputs: [["normals", "f32"], ["light", "f32"]],
    uniforms: ["total", "count", "slots"],
    body: `
  if (id >= u.total) { return; }
  let face = id / u.slots;
  ${readLight("light", `${3 * LIGHT_BANDS} * face`)}
  for (var i = id % u.slots; i < u.count; i += u.slots) {
    let at = 3 * (face * u.count + i);
    let normal = vec3<f32>(normals[at], normals[at + 1], normals[at + 2]);
    ${BASIS}
    let shading = ${SHADING};
    result[at] = shading.x;
    result[at + 1] = shading.y;
    result[at + 2] = shading.z;
  }`,
  });
}
