/** How many layers a texture array is made with. */

/**
 * At least `count`, and a number from which wgpu's OpenGL backend does not conclude that the texture is one image (1)
 * or a cube (multiples of 6).
 */
export function arrayLayers(count: number): number {
  return count < 2 ? 2 : count % 6 === 0 ? count + 1 : count;
}
