/** The font of a figure, from its input. Figures bring their own font, so that they do not depend on the machine. */
import type { Tree } from "@ftim/pipeline";

/**
 * The path of the font that a figure's text is drawn with.
 *
 * @param font a figure's input: one TrueType file
 * @throws {Error} if it holds none
 */
export function fontFileOf(font: Tree): string {
  const [path] = font.paths;
  if (path === undefined) throw new Error('the input "font" holds no file; give it one TrueType file');
  return font.file(path);
}
