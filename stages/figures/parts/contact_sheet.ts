/** Rows of pictures with a label at the left of each and a heading over each column, as one PNG. */
import { Buffer } from "node:buffer";
import type { OverlayOptions } from "sharp";
import { drawSvg, textElement } from "./draw_svg.ts";

/** One row: a picture for each column, as PNG or JPEG bytes; null leaves the cell grey. */
export interface SheetRow {
  /** Without a label in any row, the pictures begin at the left edge. A long one is broken into lines. */
  readonly label: string;
  readonly pictures: readonly (Uint8Array | null)[];
}

/** What to draw. */
export interface Sheet {
  /** One text a column, made small enough to fit. */
  readonly headings: readonly string[];
  readonly rows: readonly SheetRow[];
  /** Side of a picture's square cell in pixels. Default 168. */
  readonly cell?: number;
  /** Path of a TrueType file that holds the family "DejaVu Sans". */
  readonly fontFile: string;
}

const GAP = 6;
const LABEL_WIDTH = 190;
const LABEL_SIZE = 17;
const LABEL_LINE = 21;
/** Where a label begins. */
const LABEL_LEFT = 10;
/** Mean width of a letter of DejaVu Sans, in parts of its size. */
const LETTER = 0.62;
const HEADING_HEIGHT = 24;

/**
 * Draws the sheet.
 *
 * @returns PNG bytes, the same for the same input
 * @throws {RangeError} if a row has not as many pictures as there are headings
 */
export async function contactSheet({ headings, rows, cell = 168, fontFile }: Sheet): Promise<Uint8Array> {
  for (const { label, pictures } of rows) {
    if (pictures.length !== headings.length) {
      throw new RangeError(`Cannot draw row "${label}": ${pictures.length} pictures for ${headings.length} columns`);
    }
  }
  const { default: sharp } = await import("sharp");
  const labelled = rows.some(({ label }) => label !== "");
  const left = (column: number) => (labelled ? LABEL_WIDTH : 0) + column * (cell + GAP);
  const top = (row: number) => HEADING_HEIGHT + row * (cell + GAP);
  const width = left(headings.length), height = top(rows.length);
  const cells = rows.flatMap(({ pictures }, row) =>
    pictures.map(async (picture, column): Promise<OverlayOptions> => ({
      input: picture === null
        ? { create: { width: cell, height: cell, channels: 3, background: "#ddd" } }
        : await sharp(picture).removeAlpha().resize(cell, cell, { fit: "fill" }).toColourspace("srgb").raw().toBuffer(),
      ...(picture === null ? {} : { raw: { width: cell, height: cell, channels: 3 } }),
      left: left(column),
      top: top(row),
    }))
  );
  const overlays = await Promise.all(cells);
  const texts = [
    ...rows.flatMap(({ label }, row) =>
      linesOf(label).map((text, line, { length }) => ({
        text,
        x: LABEL_LEFT,
        y: top(row) + cell / 2 + 6 + (line - (length - 1) / 2) * LABEL_LINE,
        size: LABEL_SIZE,
      }))
    ),
    ...headings.map((text, column) => ({ text, x: left(column) + 2, y: 17, size: fit(text, cell) })),
  ];
  overlays.push({ input: await drawText(texts, { width, height, fontFile }), left: 0, top: 0 });
  // Filtered by rows, a sheet of photographs takes half the bytes; higher levels take longer and save little more.
  return await sharp({ create: { width, height, channels: 3, background: "#fff" } })
    .composite(overlays).removeAlpha().png({ compressionLevel: 4, adaptiveFiltering: true }).toBuffer();
}

interface Text {
  readonly text: string;
  readonly x: number;
  /** Of the baseline. */
  readonly y: number;
  readonly size: number;
}

/** The texts on a transparent ground, as PNG. */
async function drawText(
  texts: readonly Text[],
  { width, height, fontFile }: { width: number; height: number; fontFile: string },
): Promise<Buffer> {
  const elements = texts.map(({ text, ...place }) => textElement(text, place));
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${elements.join("")}</svg>`;
  return Buffer.from(await drawSvg(svg, { fontFile }));
}

/** Size at which a text is no wider than `width`, at most 13 pixels. */
function fit(text: string, width: number): number {
  return Math.min(13, (width - 4) / (LETTER * Math.max(1, text.length)));
}

/** A label in lines that are no wider than its column, but for words that are. */
function linesOf(label: string): string[] {
  const most = Math.floor((LABEL_WIDTH - LABEL_LEFT) / (LETTER * LABEL_SIZE));
  const lines: string[] = [];
  for (const word of label.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/**
 * At most `count` of `total` indices, spread evenly from the first to the last.
 *
 * @example
 * ```ts
 * spread(22, 4); // [0, 7, 14, 21]
 * ```
 */
export function spread(total: number, count: number): number[] {
  if (total <= count) return Array.from({ length: total }, (_, i) => i);
  if (count === 1) return [0];
  return Array.from({ length: count }, (_, i) => Math.round(i * (total - 1) / (count - 1)));
}
