/**
 * What became of all inputs on one picture, a row a kind: each result's mesh as points, with a cross where each of the
 * five points must lie. A green frame: right; a red one: wrong; grey with a stroke through it: refused. To be published
 * the photograph lies below only where its licence allows to show it.
 */
import { Buffer } from "node:buffer";
import type { OverlayOptions } from "sharp";
import type { Point } from "../../face/crop.ts";
import { fivePoints, type Landmarks } from "./judge.ts";

/** One input. */
export interface Tile {
  readonly kind: string;
  /** Null: it was refused. */
  readonly result: {
    /** Size of the photograph as it stands upright. */
    readonly width: number;
    readonly height: number;
    readonly faces: readonly Landmarks[];
    /** The five points of each of its faces. */
    readonly truth: readonly (readonly Point[])[];
    readonly right: boolean;
    /** The photograph with what was reconstructed of it, a file. */
    readonly picture: string;
    /** Whether its licence allows to show it. */
    readonly free: boolean;
  } | null;
}

/** Pixels of a tile, and of the words before a row. */
const [SIDE, GAP, WORDS] = [60, 4, 150];
/** The picture may weigh so much, in bytes. */
const MOST_BYTES = 400_000;

/** Draws a sheet as WebP, with all photographs or those alone that may be shown. */
export async function sheetOf(
  tiles: readonly Tile[],
  { show }: { readonly show: "all" | "free" },
): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const rows = [...Map.groupBy(tiles, ({ kind }) => kind)];
  const columns = Math.max(...rows.map(([, some]) => some.length));
  const size = { width: WORDS + columns * (SIDE + GAP), height: rows.length * (SIDE + GAP) };
  const pictures: OverlayOptions[] = [];
  const drawn: string[] = [];
  for (const [row, [kind, some]] of rows.entries()) {
    const top = row * (SIDE + GAP);
    drawn.push(`<text x="4" y="${top + SIDE / 2}" font-size="11" font-family="sans-serif">${kind}</text>`);
    for (const [column, { result }] of some.entries()) {
      const left = WORDS + column * (SIDE + GAP);
      const shown = result !== null && (show === "all" || result.free);
      if (shown) {
        const fit = { fit: "contain", background: "#d8d8d8" } as const;
        pictures.push({ input: await sharp(result.picture).resize(SIDE, SIDE, fit).png().toBuffer(), left, top });
      }
      drawn.push(`<g transform="translate(${left} ${top})">${tileSvg(result, shown)}</g>`);
    }
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${
    drawn.join("\n")
  }</svg>`;
  const sheet = await sharp({ create: { ...size, channels: 3, background: "#fff" } })
    .composite([...pictures, { input: Buffer.from(svg), left: 0, top: 0 }]).png().toBuffer();
  for (let quality = 80; quality > 0; quality -= 10) {
    const bytes = await sharp(sheet).webp({ quality }).toBuffer();
    if (bytes.length <= MOST_BYTES) return bytes;
  }
  throw new RangeError(`A sheet of ${tiles.length} inputs is larger than ${MOST_BYTES} bytes at any quality`);
}

function tileSvg(result: Tile["result"], shown: boolean): string {
  const frame = (colour: string, fill: string) =>
    `<rect x="1" y="1" width="${SIDE - 2}" height="${SIDE - 2}" fill="${fill}" stroke="${colour}" stroke-width="2"/>`;
  if (result === null) {
    return frame("#aaa", "#eee") + `<path d="M0 ${SIDE}L${SIDE} 0" stroke="#bbb"/>`;
  }
  const { width, height, faces, truth, right } = result;
  const scale = SIDE / Math.max(width, height);
  const [dx, dy] = [(SIDE - scale * width) / 2, (SIDE - scale * height) / 2];
  const at = (x: number, y: number) => `${(dx + scale * x).toFixed(1)} ${(dy + scale * y).toFixed(1)}`;
  const dots = (points: readonly (readonly number[])[], colour: string, wide: number) =>
    `<path d="${points.map(([x, y]) => `M${at(x!, y!)}h0`).join("")}" stroke="${colour}" stroke-width="${wide}" ` +
    'stroke-linecap="round"/>';
  const crosses = truth.flat().map(({ x, y }) => `M${at(x, y)}m-2 0h4m-2 -2v4`).join("");
  return [
    shown ? "" : `<rect width="${scale * width}" height="${scale * height}" x="${dx}" y="${dy}" fill="#d8d8d8"/>`,
    ...faces.map(({ points }) => dots(points, "#3366cc", shown ? 0.4 : 0.7)),
    ...faces.map((face) => dots(fivePoints(face).map(({ x, y }) => [x, y]), "#cc2222", 2)),
    `<path d="${crosses}" stroke="#111" stroke-width="0.6" fill="none"/>`,
    frame(right ? "#2a9d2a" : "#dd0000", "none"),
  ].join("");
}
