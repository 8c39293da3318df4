/**
 * The individual typology angle (ITA), the measure of skin tone that TRUST (Feng et al., ECCV 2022, HavenFeng/TRUST)
 * reports errors by: atan2(L* − 50, b*) in CIELAB (D65), degrees. Groups and their bounds are Chardon's.
 */

/** Groups from light to dark and the least angle of each, degrees. */
export const SKIN_TONES = [
  ["very light", 55],
  ["light", 41],
  ["intermediate", 28],
  ["tan", 10],
  ["brown", -30],
  ["dark", -90],
] as const;

/** A group's name. */
export type SkinTone = typeof SKIN_TONES[number][0];

/** CIELAB of an sRGB colour in 0..1, white point D65. */
export function cielab([red, green, blue]: readonly [number, number, number]): [number, number, number] {
  const linear = (v: number) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = [linear(red), linear(green), linear(blue)];
  const x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047;
  const y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b;
  const z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883;
  const f = (t: number) => t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29;
  return [116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))];
}

/**
 * The angle of a set of skin colours, from their median lightness and b* as is the practice: spots, hair and lips are
 * outliers.
 *
 * @param colours RGB in 0..1, one triple a texel
 * @returns degrees, −90..90
 * @throws {RangeError} if there is no colour
 */
export function typologyAngle(colours: Float32Array): number {
  const { lightness, yellowness } = medianColour(colours);
  return Math.atan((lightness - 50) / yellowness) * 180 / Math.PI;
}

/**
 * The median lightness L*, 0..100, and the median b* of a set of skin colours.
 *
 * @param colours RGB in 0..1, one triple a texel
 * @throws {RangeError} if there is no colour
 */
export function medianColour(colours: Float32Array): { lightness: number; yellowness: number } {
  if (colours.length < 3) throw new RangeError("Cannot measure skin tone: there is no colour");
  const lab = Array.from(
    { length: Math.floor(colours.length / 3) },
    (_, i) => cielab([colours[3 * i]!, colours[3 * i + 1]!, colours[3 * i + 2]!]),
  );
  const median = (axis: 0 | 2) => lab.map((value) => value[axis]).sort((a, b) => a - b)[Math.floor(lab.length / 2)]!;
  return { lightness: median(0), yellowness: median(2) };
}

/** The group of an angle. */
export function skinTone(angle: number): SkinTone {
  return (SKIN_TONES.find(([, least]) => angle > least) ?? SKIN_TONES[SKIN_TONES.length - 1]!)[0];
}
