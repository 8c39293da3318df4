/** The peak signal-to-noise ratio of an error. */

/** PSNR in dB of a mean squared error at peak 1; Infinity for 0. */
export function psnrOfError(meanSquaredError: number): number {
  return meanSquaredError === 0 ? Infinity : -10 * Math.log10(meanSquaredError);
}
