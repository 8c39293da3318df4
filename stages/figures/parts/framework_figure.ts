/** The paper's framework as a drawing: what becomes of a photograph, with the pictures and sizes of one face. */
import type { LossWeights } from "../../../nets/losses.ts";
import type { Regression } from "../../faces/regression.ts";
import { arrow, box, diagram, FILLS, label, picture, type Place, type Point } from "./diagram.ts";
import { type Measure, type Pen, textMeasure } from "./draw_svg.ts";

/** What is shown of a face; pictures are PNG. */
export interface ShownFace {
  readonly photograph: Uint8Array;
  readonly incomplete: Uint8Array;
  readonly templateAlbedo: Uint8Array;
  readonly templateTexture: Uint8Array;
  /** Complete, as the module gives it. */
  readonly texture: Uint8Array;
  readonly albedo: Uint8Array;
  readonly render: Uint8Array;
  readonly regression: Regression;
  /** Of the mesh, three vertices each. */
  readonly triangles: Uint32Array;
  readonly weights: LossWeights;
}

/** What each loss compares. */
const LOSSES: Readonly<Record<keyof LossWeights, readonly [name: string, compares: string]>> = {
  photometric: ["photometric", "render and photograph of each view"],
  albedo: ["UV albedo", "the three albedos with each other"],
  identity: ["identity", "recognition features of render and photograph"],
  mrf: ["ID-MRF", "patches of features of render and photograph"],
  symmetry: ["symmetry", "each albedo and its mirror image, where it was seen"],
  regularisation: ["regularisation", "each albedo and the template, where no view shows anything"],
};

/** Side of a picture, and from the left or top of one to that of the next. */
const [CELL, ACROSS, DOWN] = [160, 216, 250];
const [LEFT, TOP] = [26, 110];
const WIDTH = 2 * LEFT + 4 * ACROSS + CELL;
const HEIGHT = TOP + 2 * DOWN + CELL + 24;
/** Of captions. */
const TEXT = 14;
/** Channels of a light. */
const COLOURS = 3;

/** Draws the figure as SVG. */
export async function frameworkFigure(face: ShownFace, { fontFile }: Pen): Promise<string> {
  const measure = await textMeasure({ fontFile });
  const { regression: { vertices, identity, expression, albedo, angles, light }, weights } = face;
  const [crop, map] = await Promise.all([sideOf(face.photograph), sideOf(face.texture)]);
  const poses = Object.keys(angles).length;
  const shown = (column: number, row: number, png: Uint8Array, lines: readonly string[]) => [
    picture(cellAt(column, row), png),
    ...captions(lines, { at: cellAt(column, row), measure }),
  ];
  const boxed = (column: number, row: number, lines: readonly string[]) =>
    box(cellAt(column, row), { lines, fill: row === 0 ? FILLS.fixed : FILLS.network, measure });
  const terms = (Object.keys(LOSSES) as (keyof LossWeights)[]).filter((name) => weights[name] > 0);
  const losses = { ...cellAt(0, 2), width: 3 * ACROSS + CELL };
  return diagram([
    label("For each of the three views of a triplet", { x: LEFT, y: 36, width: WIDTH, bold: true, size: 20, measure }),
    ...shown(0, 0, face.photograph, ["photograph", `${crop}²`]),
    ...meshParts(face, { at: cellAt(1, 0), side: crop }),
    ...captions(["face mesh", `${vertices.length / 3} vertices`], { at: cellAt(1, 0), measure }),
    boxed(2, 0, [
      "3DMM regressor",
      `identity ${identity.length}`,
      `expression ${expression.length}`,
      `pose ${poses}`,
      `albedo ${albedo.length}`,
      `light ${light.length / COLOURS} × ${COLOURS}`,
    ]),
    ...shown(3, 0, face.templateAlbedo, ["template UV albedo", `${map}²`]),
    ...shown(4, 0, face.templateTexture, ["template texture:", "albedo × shading"]),
    ...shown(1, 1, face.incomplete, ["incomplete UV texture", `${map}², by UV render`]),
    boxed(2, 1, ["FTIM", "as printed:", "Figure 2 shows", "the module"]),
    ...shown(3, 1, face.texture, ["complete UV texture", `${map}²`]),
    ...shown(4, 1, face.albedo, ["UV albedo: output − template", "texture + template albedo"]),
    ...shown(4, 2, face.render, ["image render: the albedo", "in the view's light"]),
    lossesBox(terms.map((name) => [...LOSSES[name], weights[name]] as const), { place: losses, measure }),
    arrow([side(0, 0, "right"), side(1, 0, "left")]),
    arrow([side(1, 0, "right"), side(2, 0, "left")]),
    arrow([side(2, 0, "right"), side(3, 0, "left")]),
    arrow([side(3, 0, "right"), side(4, 0, "left")]),
    // The photograph's colours and the mesh's places make the incomplete texture.
    arrow([side(1, 0, "bottom"), above(1, 1)]),
    arrow([shifted(side(0, 0, "bottom"), 40), [middle(0) + 40, rowMiddle(1)], side(1, 1, "left")]),
    arrow([side(1, 1, "right"), side(2, 1, "left")]),
    // Expression and pose go into FTIM's code, the template albedo beside the incomplete texture.
    arrow([shifted(side(2, 0, "bottom"), -30), shifted(side(2, 1, "top"), -30)]),
    label("expression,", { x: middle(2) - 38, y: between(0) - 4, width: 100, anchor: "end", size: TEXT, measure }),
    label("pose", { x: middle(2) - 38, y: between(0) + 14, width: 100, anchor: "end", size: TEXT, measure }),
    arrow([
      shifted(side(3, 0, "bottom"), -40),
      [middle(3) - 40, between(0) - 18],
      [middle(2) + 40, between(0) - 18],
      shifted(side(2, 1, "top"), 40),
    ]),
    arrow([side(2, 1, "right"), side(3, 1, "left")]),
    arrow([side(3, 1, "right"), side(4, 1, "left")]),
    arrow([side(4, 0, "bottom"), above(4, 1)]),
    arrow([side(4, 1, "bottom"), above(4, 2)]),
    arrow([side(4, 2, "left"), [losses.x + losses.width, rowMiddle(2)]]),
    arrow([shifted(side(0, 0, "bottom"), -40), [middle(0) - 40, losses.y]]),
  ], { width: WIDTH, height: HEIGHT });
}

/** The square of a picture or a box; columns and rows from 0. */
function cellAt(column: number, row: number): Place {
  return { x: LEFT + column * ACROSS, y: TOP + row * DOWN, width: CELL, height: CELL };
}

function middle(column: number): number {
  return LEFT + column * ACROSS + CELL / 2;
}

function rowMiddle(row: number): number {
  return TOP + row * DOWN + CELL / 2;
}

/** Halfway between a row and the next, where its captions are not. */
function between(row: number): number {
  return TOP + row * DOWN + CELL + (DOWN - CELL) / 2;
}

/** The middle of a side of a cell. */
function side(column: number, row: number, name: "left" | "right" | "top" | "bottom"): Point {
  const { x, y } = cellAt(column, row);
  if (name === "left" || name === "right") return [name === "left" ? x : x + CELL, y + CELL / 2];
  return [x + CELL / 2, name === "top" ? y : y + CELL];
}

/** Where an arrow ends that comes from above to a picture with a caption. */
function above(column: number, row: number): Point {
  const [x, y] = side(column, row, "top");
  return [x, y - CAPTION];
}

function shifted([x, y]: Point, right: number): Point {
  return [x + right, y];
}

/** Height of a caption of two lines. */
const CAPTION = 42;

/** Two lines above a picture. */
function captions(
  lines: readonly string[],
  { at: { x, y, width }, measure }: { readonly at: Place; readonly measure: Measure },
): string[] {
  return lines.map((text, i) =>
    label(text, {
      x: x + width / 2,
      y: y - 8 - 18 * (lines.length - 1 - i),
      width: ACROSS - 12,
      anchor: "middle",
      size: TEXT,
      measure,
    })
  );
}

/** The mesh on a pale photograph. */
function meshParts(
  { photograph, regression: { vertices }, triangles }: ShownFace,
  { at, side }: { readonly at: Place; readonly side: number },
): string[] {
  const point = (vertex: number) =>
    [0, 1].map((axis) => (vertices[3 * vertex + axis]! * at.width / side).toFixed(1)).join(" ");
  const path = Array.from(
    { length: triangles.length / 3 },
    (_, i) => `M${point(triangles[3 * i]!)}L${point(triangles[3 * i + 1]!)}L${point(triangles[3 * i + 2]!)}Z`,
  );
  // An SVG of its own, so that what lies outside of the crop is cut off.
  return [
    picture(at, photograph),
    `<svg x="${at.x}" y="${at.y}" width="${at.width}" height="${at.height}">` +
    `<rect width="${at.width}" height="${at.height}" fill="#fff" fill-opacity="0.6"/>` +
    `<path d="${path.join("")}" fill="none" stroke="#1f5f9f" stroke-width="0.4"/></svg>`,
  ];
}

/** The losses with their weights. */
function lossesBox(
  terms: readonly (readonly [name: string, compares: string, weight: number])[],
  { place, measure }: { readonly place: Place; readonly measure: Measure },
): string {
  const { x, y, width, height } = place;
  const line = (height - 56) / Math.max(1, terms.length);
  const rows = terms.flatMap(([name, compares, weight], i) => {
    const at = { y: y + 50 + line * (i + 0.5), size: TEXT, measure };
    return [
      label(`${weight}`, { ...at, x: x + 16, width: 50 }),
      label(name, { ...at, x: x + 76, width: 120 }),
      label(compares, { ...at, x: x + 206, width: width - 216 }),
    ];
  });
  const title = label("losses and their weights; a random one of the three albedos renders all three views", {
    x: x + 16,
    y: y + 30,
    width: width - 32,
    bold: true,
    measure,
  });
  return `<g class="box"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${FILLS.loss}" ` +
    `stroke="#555"/>${title}${rows.join("")}</g>`;
}

/** Side of a square PNG in pixels. */
async function sideOf(png: Uint8Array): Promise<number> {
  const { default: sharp } = await import("sharp");
  return (await sharp(png).metadata()).width;
}
