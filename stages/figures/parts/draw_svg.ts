/**
 * SVG as PNG, and the size of its text. Text is drawn by resvg with a font file that is given: without an installed
 * font (a bare container) other renderers draw empty boxes.
 */

/** The family that a font file must hold. */
export const FONT = "DejaVu Sans";

/** What text is drawn with. */
export interface Pen {
  /** Path of a TrueType file that holds the family "DejaVu Sans". */
  readonly fontFile: string;
}

/**
 * Draws an SVG.
 *
 * @param options.zoom pixels of the PNG for each of the SVG; default 1
 * @returns PNG bytes, the same for the same input
 */
export async function drawSvg(
  svg: string,
  { fontFile, zoom = 1 }: Pen & { readonly zoom?: number },
): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  return new Resvg(svg, { font: fontOf(fontFile), fitTo: { mode: "zoom", value: zoom } }).render().asPng();
}

/** The width of a text in pixels, as {@linkcode drawSvg} draws it. */
export type Measure = (text: string, size: number) => number;

/** Gives the measure of texts in a font. */
export async function textMeasure({ fontFile }: Pen): Promise<Measure> {
  const { Resvg } = await import("@resvg/resvg-js");
  const font = fontOf(fontFile);
  const known = new Map<string, number>();
  /** Large, so that a pixel more or less does not matter. */
  const size = 100;
  const widthOf = (text: string) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="10000" height="200">${
      textElement(text, { x: 0, y: size, size })
    }</svg>`;
    return (new Resvg(svg, { font }).getBBox()?.width ?? 0) / size;
  };
  return (text, size) => {
    const width = known.get(text) ?? widthOf(text);
    known.set(text, width);
    return size * width;
  };
}

/** A line of text; `y` is that of its baseline. */
export function textElement(
  text: string,
  { x, y, size, anchor = "start", bold = false }: {
    readonly x: number;
    readonly y: number;
    readonly size: number;
    readonly anchor?: "start" | "middle" | "end";
    readonly bold?: boolean;
  },
): string {
  // The font has one weight: a thin outline in its own colour makes it heavier.
  const outline = bold ? ` stroke="#111" stroke-width="${size / 28}"` : "";
  return `<text x="${x}" y="${y}" font-family="${FONT}" font-size="${size}" text-anchor="${anchor}" fill="#111"` +
    `${outline}>${escapeXml(text)}</text>`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

function fontOf(fontFile: string) {
  return { fontFiles: [fontFile], loadSystemFonts: false, defaultFontFamily: FONT };
}
