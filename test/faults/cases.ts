/** How many faults are tried. */

const VARIABLE = "FTIM_FAULTS";

/**
 * The share of all cases that the environment's `FTIM_FAULTS` asks for; a tenth where it is not set.
 *
 * @throws {RangeError} where it is no share, for no case would be tried, and none would fail
 */
export function casesOf(all: number): number {
  const text = Deno.env.get(VARIABLE) ?? "0.1";
  const count = Math.round(all * Number(text));
  if (count >= 1 && count <= all) return count;
  throw new RangeError(`${VARIABLE} is "${text}"; it must be a share of ${all} cases: more than 0 and at most 1`);
}
