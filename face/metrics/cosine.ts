/**
 * Cosine of the angle between two embeddings, −1..1. 1 for the same direction; higher is better.
 *
 * @throws {TypeError} if the lengths differ
 * @throws {RangeError} if one of them is zero or holds a value that is not finite: it has no direction
 */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new TypeError(`Cannot compare embeddings of ${a.length} and ${b.length} values`);
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number, y = b[i] as number;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  const norm = Math.sqrt(aa) * Math.sqrt(bb);
  if (!(norm > 0 && Number.isFinite(norm))) {
    throw new RangeError("Cannot compare embeddings: one is zero or not finite");
  }
  return Math.max(-1, Math.min(1, ab / norm));
}
