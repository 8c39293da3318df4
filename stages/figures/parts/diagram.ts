/**
 * Diagrams of boxes, pictures and arrows as SVG. Text takes the size at which it fits the place that it is given, by
 * its measured width, and a text that could not be read at that size is an error.
 */
import { type Measure, textElement } from "./draw_svg.ts";

/** A rectangle, in pixels from the top left corner. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A point, in the same pixels. */
export type Point = readonly [x: number, y: number];

/** Sizes of text in pixels, and the least that is drawn. */
const [SIZE, LEAST_SIZE] = [15, 9];
/** Distance of lines, in sizes. */
const LEADING = 1.3;
/** Between the text of a box and its border. */
const PADDING = 8;
/** What a letter has below its line, in sizes. */
const DESCENT = 0.22;

/** Fills of boxes by what they are. */
export const FILLS = {
  network: "#dbe7f5",
  fixed: "#eeeeee",
  loss: "#f7e3d4",
  encoder: "#9dbfe3",
  latent: "#f0b97d",
  decoder: "#a9d3a5",
  maps: "#d9d9d9",
} as const;

/** How text is set. */
export interface TextOptions {
  readonly measure: Measure;
  /** Size where there is room; default 15. */
  readonly size?: number;
}

/**
 * A box with lines in its middle; the first is bold where it is a heading.
 *
 * @throws {RangeError} where a line cannot be read at the size at which it fits
 */
export function box(
  { x, y, width, height }: Place,
  { lines, fill, measure, size = SIZE, heading = true }: TextOptions & {
    readonly lines: readonly string[];
    readonly fill: string;
    readonly heading?: boolean;
  },
): string {
  const room = Math.min(size, (height - 2 * PADDING) / (LEADING * lines.length));
  const texts = lines.map((text, i) =>
    label(text, {
      x: x + width / 2,
      y: y + height / 2 + (i - (lines.length - 1) / 2) * LEADING * room + room * (0.5 - DESCENT / 2) - 1,
      width: width - 2 * PADDING,
      anchor: "middle",
      bold: heading && i === 0,
      size: room,
      measure,
    })
  );
  return `<g class="box"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${fill}" ` +
    `stroke="#555"/>${texts.join("")}</g>`;
}

/**
 * A line of text, smaller where it would be wider than `width`; `y` is that of its baseline.
 *
 * @throws {RangeError} where it cannot be read at the size at which it fits
 */
export function label(
  text: string,
  { x, y, width, measure, size = SIZE, anchor = "start", bold = false }: TextOptions & {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly anchor?: "start" | "middle" | "end";
    readonly bold?: boolean;
  },
): string {
  // A bold text's outline makes it a little wider.
  const fitting = Math.min(size, width / (measure(text, 1) + (bold ? 0.05 : 0)));
  if (fitting < LEAST_SIZE) {
    throw new RangeError(`Cannot fit "${text}" into ${width} pixels: it would be ${fitting.toFixed(1)} pixels high`);
  }
  return textElement(text, { x, y, size: Math.floor(10 * fitting) / 10, anchor, bold });
}

/** A picture, stretched to its place; `png` are the bytes of one. */
export function picture({ x, y, width, height }: Place, png: Uint8Array): string {
  return `<image x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="none" ` +
    `href="data:image/png;base64,${png.toBase64()}"/>` + frame({ x, y, width, height });
}

/** An empty rectangle. */
function frame({ x, y, width, height }: Place): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="none" stroke="#555"/>`;
}

/** A line through points with an arrowhead at its end. */
export function arrow(points: readonly [Point, Point, ...Point[]], { dashed = false } = {}): string {
  const [before, end] = points.slice(-2) as [Point, Point];
  const angle = Math.atan2(end[1] - before[1], end[0] - before[0]);
  const at = (turn: number) =>
    [end[0] - HEAD * Math.cos(angle + turn), end[1] - HEAD * Math.sin(angle + turn)].map((v) => v.toFixed(1)).join(",");
  const path = points.map(([x, y]) => `${x},${y}`).join(" ");
  return `<polyline points="${path}" fill="none" stroke="#333" stroke-width="1.5"` +
    `${dashed ? ' stroke-dasharray="5 4"' : ""}/>` +
    `<polygon points="${end.join(",")} ${at(0.4)} ${at(-0.4)}" fill="#333"/>`;
}

/** Length of an arrow's head. */
const HEAD = 10;

/** All parts on white, the first below the others. */
export function diagram(parts: readonly string[], { width, height }: { width: number; height: number }): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="#fff"/>\n${
      parts.join("\n")
    }\n</svg>\n`;
}
