/** Where the texts of a drawing lie, measured by drawing each alone. */
import assert from "node:assert/strict";
import { Resvg } from "@resvg/resvg-js";
import { fontFile } from "../../font.ts";

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A text and the pixels that it covers. */
export interface MeasuredText extends Rectangle {
  readonly text: string;
}

const TEXT = /<text [^>]*>([^<]*)<\/text>/g;

async function textsOf(svg: string): Promise<MeasuredText[]> {
  const font = { fontFiles: [await fontFile()], loadSystemFonts: false };
  return [...svg.matchAll(TEXT)].map(([element, text]) => {
    const alone = `<svg xmlns="http://www.w3.org/2000/svg" width="4000" height="4000">${element}</svg>`;
    const box = new Resvg(alone, { font }).getBBox();
    assert.ok(box !== undefined && box.width > 0, `"${text}" does not show`);
    return { text: text!, x: box.x, y: box.y, width: box.width, height: box.height };
  });
}

/** Throws where a text leaves its box or the drawing, or runs into another text; gives the texts. */
export async function assertTextsFit(svg: string): Promise<MeasuredText[]> {
  const [, width, height] = /<svg [^>]*width="([\d.]+)" height="([\d.]+)"/.exec(svg)!.map(Number);
  const texts = await textsOf(svg);
  const drawing = { x: 0, y: 0, width: width!, height: height! };
  for (const text of texts) assert.ok(contains(drawing, text), `"${text.text}" leaves the drawing`);
  for (const [i, one] of texts.entries()) {
    for (const other of texts.slice(i + 1)) {
      assert.ok(!overlap(one, other), `"${one.text}" and "${other.text}" run into each other`);
    }
  }
  const boxes = svg.match(/<g class="box">.*?<\/g>/g) ?? [];
  assert.ok(boxes.length > 0, "there is no box");
  for (const box of boxes) {
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) =>
      Number(new RegExp(`<rect [^>]*?\\b${name}="([-\\d.]+)"`).exec(box)![1])
    ) as [number, number, number, number];
    const inner = { x: x + 2, y: y + 2, width: width - 4, height: height - 4 };
    for (const text of await textsOf(box)) assert.ok(contains(inner, text), `"${text.text}" leaves its box`);
  }
  return texts;
}

function contains(outer: Rectangle, inner: Rectangle): boolean {
  return inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height;
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
