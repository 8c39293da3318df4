/** The light of tests that look at colours alone. */
import { LIGHT_BANDS, LIGHT_FACTORS } from "../../face/light.ts";

/** A light that leaves every albedo as it is: shading 1 in all directions. */
export function ambientLight(): Float32Array {
  const light = new Float32Array(3 * LIGHT_BANDS);
  light.fill(1 / LIGHT_FACTORS[0], 0, 3);
  return light;
}
