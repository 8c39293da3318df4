/**
 * One value a pixel for elements of an image of three or more channels, four at a time: they lie in two pixels at most.
 */

/**
 * WGSL that sets `pixel : vec4<f32>` to the values of the pixels of elements 4·at .. 4·at + 3. Needs the uniforms
 * `channels`, three at least, and `period`: how many values there are, after which they repeat.
 *
 * @param values name of the array of values
 * @param at name of the index
 */
export const pixelOfElements = (values: string, at: string): string =>
  `let firstPixel = ${at} * 4 / u.channels;
  let left = vec4<i32>(u.channels - ${at} * 4 % u.channels);
  let pixel = select(
    vec4<f32>(${values}[(firstPixel + 1) % u.period]),
    vec4<f32>(${values}[firstPixel % u.period]),
    vec4<i32>(0, 1, 2, 3) < left);`;

/** Whether four elements of an image at a time lie in two pixels at most, and the last four are whole. */
export const goesByFours = ({ channels, size }: { readonly channels: number; readonly size: number }): boolean =>
  channels >= 3 && size % 4 === 0;
