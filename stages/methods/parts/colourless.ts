/** Photographs without colours of their own: greys, and greys that were toned, as sepia is. */

/** Levels of brightness that are looked at together. */
const BAND = 16;
/**
 * A colour differs from the mean tint of its brightness by so many levels at most after a JPEG. Of faces in 8
 * photographs in greys or sepia at most 0.4 % of the pixels differed by more, of those in 137 in colour at least 16 %.
 */
const LEVELS = 6;
/** The share of texels that may differ by more. */
const BEYOND = 0.03;

/**
 * Whether what is seen of a face has one tint at each brightness.
 *
 * @param texture RGB [3·N]
 * @param options.visibility [N]; what is 0 was not seen
 */
export function isColourless(texture: Uint8Array, { visibility }: { readonly visibility: Uint8Array }): boolean {
  const sums = Array.from({ length: 256 / BAND }, () => ({ count: 0, red: 0, blue: 0 }));
  const seen: (readonly [band: number, red: number, blue: number])[] = [];
  for (const [texel, value] of visibility.entries()) {
    if (value === 0) continue;
    const [red, green, blue] = texture.subarray(3 * texel, 3 * texel + 3) as Uint8Array & [number, number, number];
    const brightness = 0.299 * red + 0.587 * green + 0.114 * blue;
    const band = Math.floor(brightness / BAND);
    seen.push([band, red - brightness, blue - brightness]);
    const sum = sums[band]!;
    sum.count++;
    sum.red += red - brightness;
    sum.blue += blue - brightness;
  }
  const coloured = seen.filter(([band, red, blue]) => {
    const { count, ...tint } = sums[band]!;
    return Math.max(Math.abs(red - tint.red / count), Math.abs(blue - tint.blue / count)) > LEVELS;
  });
  return seen.length > 0 && coloured.length <= BEYOND * seen.length;
}
