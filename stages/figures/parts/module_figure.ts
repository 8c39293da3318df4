/** Both forms of FTIM as a drawing: what each reads, its network layer by layer, and what becomes of its result. */
import { arrow, box, diagram, FILLS, label, type Place, type Point } from "./diagram.ts";
import { type Measure, type Pen, textMeasure } from "./draw_svg.ts";
import type { UnetLayer, UnetLayers } from "./unet_layers.ts";

/** What a form of FTIM is, beside its network (`nets/ftim_printed.ts`, `nets/ftim.ts`). */
interface Form {
  readonly title: string;
  /** The maps that the network reads, and their channels. */
  readonly maps: readonly (readonly [name: string, channels: number])[];
  /** What becomes of the network's result, to the complete texture. */
  readonly result: string;
  /** What the result is added to. */
  readonly base: string;
}

/** The forms; a test compares them with what the networks compute. */
export const FORMS: Readonly<Record<"printed" | "ours", Form>> = {
  printed: {
    title: "FTIM as printed",
    maps: [["template UV albedo", 3], ["incomplete UV texture", 3]],
    result: "× 0.1",
    base: "template texture",
  },
  ours: {
    title: "FTIM with a first guess (ours)",
    maps: [
      ["incomplete UV texture", 3],
      ["visibility", 1],
      ["visibility, mirrored", 1],
      ["template UV albedo", 3],
      ["first guess", 3],
      ["constant 1", 1],
    ],
    result: "× 0.1 × (1 − visibility)",
    base: "first guess",
  },
};

/** Values of the code that are yaw, pitch and roll; the others are of the expression. */
const ANGLES = 3;

/** Height of one form, and of the legend below both. */
const [FORM_HEIGHT, LEGEND_HEIGHT] = [500, 84];
/** The rows' middle lines, below the form's top. */
const [ENCODER, DECODER, RESULT] = [140, 300, 440] as const;
/** Where the first column of layers has its middle, and how far columns lie apart. */
const [FIRST, APART] = [290, 100] as const;
/** From the middle of the latent layer, which stands right of all columns, to the right border. */
const LAST = 190;
/** What the boxes of the result need. */
const LEAST_WIDTH = 1080;
/** Widths and heights of layers, least and most. */
const [LEAST, MOST] = [{ width: 10, height: 22 }, { width: 58, height: 104 }] as const;
/** Of a layer's text. */
const TEXT = 14;

/**
 * Draws the figure as SVG.
 *
 * @throws {TypeError} where the maps of a form have not as many channels as its network reads
 */
export async function moduleFigure(
  networks: Readonly<Record<keyof typeof FORMS, UnetLayers>>,
  { fontFile }: Pen,
): Promise<string> {
  const measure = await textMeasure({ fontFile });
  const names = ["printed", "ours"] as const;
  const columns = Math.max(...names.map((name) => new Set(networks[name].layers.map(({ side }) => side)).size));
  const width = Math.max(LEAST_WIDTH, FIRST + APART * columns + LAST);
  const largest = Math.max(...names.flatMap((name) => networks[name].layers.map(({ channels }) => channels)));
  const parts = names.flatMap((name, i) =>
    formParts(FORMS[name], networks[name], { top: i * FORM_HEIGHT, width, largest, measure })
  );
  const kernels = [...new Set(names.flatMap((name) => [...networks[name].kernels]))];
  const kernel = kernels.map((side) => `${side} × ${side}`).join(" or ");
  const legend = [
    `Side² × channels of the maps behind each layer, as trained. To the right: convolutions of ${kernel}, stride 2.`,
    `Dashed: skip connections. To the left: convolutions of ${kernel} of the maps, doubled, and of those skipped.`,
    "Instance normalisation and a leaky rectifier follow each but the last; the code is added between the two.",
  ];
  const texts = legend.map((text, i) =>
    label(text, { x: 20, y: 2 * FORM_HEIGHT + 20 + 21 * i, width: width - 40, measure, size: TEXT })
  );
  return diagram([...parts, ...texts], { width, height: 2 * FORM_HEIGHT + LEGEND_HEIGHT });
}

interface FormOptions {
  /** Where the form begins. */
  readonly top: number;
  /** Of the figure. */
  readonly width: number;
  /** Most channels of any layer, for the scale. */
  readonly largest: number;
  readonly measure: Measure;
}

function formParts(
  form: Form,
  { layers, codeLength }: UnetLayers,
  { top, width, largest, measure }: FormOptions,
): string[] {
  const [maps, ...rest] = layers as [UnetLayer, ...UnetLayer[]];
  const known = form.maps.reduce((sum, [, channels]) => sum + channels, 0);
  if (known !== maps.channels) {
    throw new TypeError(`${form.title} reads ${maps.channels} channels; the figure knows of maps with ${known}`);
  }
  const columns = [...new Set(layers.map(({ side }) => side))].sort((a, b) => b - a);
  const smallest = columns.at(-1)!;
  const middle = (side: number) => FIRST + APART * columns.indexOf(side);
  const size = ({ side, channels }: UnetLayer) => ({
    width: LEAST.width + (MOST.width - LEAST.width) * channels / largest,
    height: LEAST.height +
      (MOST.height - LEAST.height) * Math.log2(side / smallest) / Math.max(1, Math.log2(maps.side / smallest)),
  });
  const latent = rest.find(({ name }) => name === "latent")!;
  const output = rest.at(-1)!;
  /** The middle of each layer. The latent one lies between the rows, the last one at their end. */
  const centre = (layer: UnetLayer): Point => {
    if (layer === latent) return [middle(smallest) + APART, top + (ENCODER + DECODER) / 2];
    if (layer === output) return [FIRST - APART, top + DECODER];
    return [middle(layer.side), top + (layer.skip === undefined ? ENCODER : DECODER)];
  };
  const place = (layer: UnetLayer): Place => {
    const [[x, y], { width, height }] = [centre(layer), size(layer)];
    return { x: x - width / 2, y: y - height / 2, width, height };
  };
  const drawn = layers.map((layer) => {
    const { x, y, width, height } = place(layer);
    const fill = layer === maps
      ? FILLS.maps
      : layer === latent
      ? FILLS.latent
      : FILLS[layer.skip === undefined && layer !== output ? "encoder" : "decoder"];
    const text = label(`${layer.side}² × ${layer.channels}`, {
      x: x + width / 2,
      y: y + height + TEXT + 3,
      width: APART - 8,
      anchor: "middle",
      size: TEXT,
      measure,
    });
    return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}" stroke="#555"/>${text}`;
  });
  const edge = (layer: UnetLayer, side: "left" | "right"): Point => {
    const { x, y, width, height } = place(layer);
    return [side === "left" ? x : x + width, y + height / 2];
  };
  const arrows = rest.flatMap((layer, i) => {
    const before = layers[i]!;
    const skip = layers.find(({ name }) => name === layer.skip);
    const flow = layer === latent
      ? arrow([edge(before, "right"), [centre(layer)[0], centre(before)[1]], [centre(layer)[0], place(layer).y]])
      : before === latent
      ? arrow([
        [centre(before)[0], place(before).y + size(before).height + TEXT + 8],
        [centre(before)[0], centre(layer)[1]],
        edge(layer, "right"),
      ])
      : centre(layer)[0] > centre(before)[0]
      ? arrow([edge(before, "right"), edge(layer, "left")])
      : arrow([edge(before, "left"), edge(layer, "right")]);
    if (skip === undefined) return [flow];
    const [x, y] = [centre(skip)[0], place(skip).y + size(skip).height + TEXT + 8];
    return [flow, arrow([[x, y], [x, place(layer).y]], { dashed: true })];
  });
  return [
    label(form.title, { x: 20, y: top + 34, width: width - 40, bold: true, size: 20, measure }),
    ...arrows,
    ...drawn,
    ...mapsParts(form, { top, to: edge(maps, "left"), measure }),
    ...codeParts(codeLength, { width, to: edge(latent, "right"), measure }),
    ...resultParts(form, {
      top,
      width,
      from: [centre(output)[0], place(output).y + size(output).height + TEXT + 8],
      measure,
    }),
  ];
}

/** The names of the maps, which become one input. */
function mapsParts(
  { maps }: Form,
  { top, to, measure }: Pick<FormOptions, "top" | "measure"> & { readonly to: Point },
): string[] {
  const height = 24 * maps.length + 16;
  const place = { x: 20, y: top + ENCODER - height / 2, width: 200, height };
  const texts = maps.map(([name, channels], i) =>
    label(`${name} (${channels})`, {
      x: place.x + 10,
      y: place.y + 25 + 24 * i,
      width: place.width - 20,
      size: TEXT,
      measure,
    })
  );
  const frame = `<rect x="${place.x}" y="${place.y}" width="${place.width}" height="${height}" rx="6" ` +
    `fill="${FILLS.maps}" stroke="#555"/>`;
  return [
    `<g class="box">${frame}${texts.join("")}</g>`,
    arrow([[place.x + place.width, to[1]], to]),
  ];
}

/** The code of expression and pose, which is added to the latent maps. */
function codeParts(
  length: number,
  { width, to: [x, y], measure }: Pick<FormOptions, "width" | "measure"> & { readonly to: Point },
): string[] {
  const place = { x: width - 118, y: y - 46, width: 106, height: 92 };
  const lines = ["code", `expression ${length - ANGLES}`, `pose ${ANGLES}`];
  return [
    box(place, { lines, fill: FILLS.latent, measure, size: TEXT }),
    arrow([[place.x, y], [x, y]]),
  ];
}

/** From the network's result to the complete texture and the albedo. */
function resultParts(
  { result, base }: Form,
  { top, width: whole, from: [x, y], measure }: Omit<FormOptions, "largest"> & { readonly from: Point },
): string[] {
  const steps: readonly (readonly [width: number, lines: readonly string[]])[] = [
    [230, [result, `+ ${base}`]],
    [190, ["complete UV texture"]],
    [230, ["− template texture", "+ template albedo"]],
    [190, ["UV albedo"]],
  ];
  const gap = (whole - 40 - steps.reduce((sum, [width]) => sum + width, 0)) / (steps.length - 1);
  let left = 20;
  const parts: string[] = [];
  for (const [i, [width, lines]] of steps.entries()) {
    const place = { x: left, y: top + RESULT - 29, width, height: 58 };
    const isMap = lines.length === 1;
    parts.push(box(place, { lines, fill: isMap ? FILLS.maps : FILLS.fixed, heading: isMap, measure }));
    if (i > 0) parts.push(arrow([[left - gap, top + RESULT], [left, top + RESULT]]));
    left += width + gap;
  }
  return [...parts, arrow([[x, y], [x, top + RESULT - 29]])];
}
