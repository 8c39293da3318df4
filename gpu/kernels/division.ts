/** Division of whole numbers in WGSL, for kernels whose invocations do little else. */

/**
 * `quotient(a, b)` of a ≥ 0 and b > 0, rounded down. A software adapter divides integers one by one and floats eight at
 * once, so it is ten times as fast there.
 */
export const QUOTIENT = `
fn quotient(a: i32, b: i32) -> i32 {
  let divisor = f32(b);
  // What rounding leaves after the first step is small enough to be exact in the second, but for one.
  let rough = i32(f32(a) / divisor);
  let near = rough + i32(f32(a - rough * b) / divisor);
  let left = a - near * b;
  return near + select(0, 1, left >= b) - select(0, 1, left < 0);
}
`;
