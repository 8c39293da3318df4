/** Charts as Vega-Lite specifications, and their drawing without a browser. */
import type { TopLevelSpec } from "vega-lite";
// @ts-types="npm:@types/papaparse@5.5.2"
import papaparse from "papaparse";
import { drawSvg, FONT, type Pen } from "./draw_svg.ts";

/** A chart as SVG and as PNG. */
export interface Drawing {
  readonly svg: string;
  readonly png: Uint8Array;
}

/** Each loss term over the steps, in small multiples: a faint line of every step and a running mean. */
export function lossChart(csv: string): TopLevelSpec {
  const { data } = papaparse.parse<Record<string, number>>(csv, {
    header: true,
    dynamicTyping: true,
    skipEmptyLines: true,
  });
  const terms = Object.keys(data[0] ?? {}).filter((name) => name !== "step");
  const values = data.flatMap((row) => terms.map((term) => ({ step: row.step!, term, value: row[term]! })));
  return {
    data: { values },
    facet: { field: "term", type: "nominal", sort: terms, title: null },
    columns: 3,
    spec: {
      width: 220,
      height: 130,
      transform: [{
        window: [{ op: "mean", field: "value", as: "running" }],
        frame: [-12, 12],
        groupby: ["term"],
        sort: [{ field: "step" }],
      }],
      layer: [
        {
          mark: { type: "line", strokeWidth: 0.5, opacity: 0.4 },
          encoding: { y: { field: "value", type: "quantitative", title: null } },
        },
        {
          mark: { type: "line", strokeWidth: 2 },
          encoding: { y: { field: "running", type: "quantitative", title: null } },
        },
      ],
      encoding: { x: { field: "step", type: "quantitative" } },
    },
    // An x axis of its own for each, or the last row draws one under every column, also where it has no chart.
    resolve: { scale: { y: "independent" }, axis: { x: "independent" } },
    title: {
      text: "Losses of the training",
      subtitle: [
        "Each term before its weight, and their weighted total.",
        "Thin: a step; thick: the mean of 25 steps.",
      ],
    },
  };
}

/** How many photographs have which yaw; lines at the bins' edges. */
export function yawChart(yaws: readonly number[], bins: readonly (readonly [number, number])[]): TopLevelSpec {
  const edges = [...new Set(bins.flat())].map((edge) => ({ edge }));
  return {
    width: 460,
    height: 200,
    title: "Yaw of the photographs, and the bins of the triplets",
    layer: [
      {
        data: { values: yaws.map((yaw) => ({ yaw })) },
        mark: "bar",
        encoding: {
          x: { field: "yaw", type: "quantitative", bin: { step: 5 }, title: "estimated yaw (degrees)" },
          y: { aggregate: "count", type: "quantitative", title: "photographs" },
        },
      },
      {
        data: { values: edges },
        mark: { type: "rule", strokeDash: [4, 3] },
        encoding: { x: { field: "edge", type: "quantitative" } },
      },
    ],
  };
}

/** Draws a chart. */
export async function drawChart(spec: TopLevelSpec, { fontFile }: Pen): Promise<Drawing> {
  const { compile } = await import("vega-lite");
  const { parse, View } = await import("vega");
  const config = { font: FONT, background: "white", axis: { grid: true }, view: { stroke: "#ddd" } };
  const view = new View(parse(compile({ ...spec, config } as TopLevelSpec).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return { svg, png: await drawSvg(svg, { fontFile, zoom: 2 }) };
}
