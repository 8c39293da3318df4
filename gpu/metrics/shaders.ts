/**
 * The shader behind compare_images.ts: one pass over the pixels for L1, PSNR and SSIM.
 *
 * An invocation owns a block of four columns and some rows of one pair: of its pixels it sums |d|, d², w·|d|, w·d² and
 * w, and of the windows whose top left corner lies in it the similarity. It slides down the rows. In each it filters
 * its columns with SSIM's Gaussian, and adds the result to the windows under way, ten a column and channel: all in
 * registers, so a pixel is fetched by the three or four blocks that see it in a row and no intermediate image is
 * written. Every block has its own sums and a fixed order of work, so a result repeats bit for bit.
 *
 * SSIM depends on two images only through their sum s = x + y and difference d = x − y (factors of 2 cancel):
 *
 * ```
 * luminance            (2 μx μy + C1) / (μx² + μy² + C1) = 1 − μd² / ((μs² + μd²) / 2 + C1)
 * contrast, structure  (2 σxy + C2) / (σx² + σy² + C2)   = 1 − 2 σd² / (σs² + σd² + 2 C2)
 * ```
 *
 * That takes four filters and not five, and keeps its digits where images are nearly equal. Values are taken from the
 * block's middle pixel, because E[x²] − E[x]² would lose digits where an image is flat and bright.
 *
 * Images come as they lie in memory, RGB after RGB, four floats a texel: on a software adapter a texel is fetched
 * faster than an element of a buffer.
 */

/** Columns of a block. Four pixels of RGB are three texels. */
export const COLUMNS = 4;
/**
 * Sums of a block: |d|, d², w·|d|, w·d², w, SSIM, SSIM where the window meets the mask, windows that do, w·SSIM and w
 * at the window's middle.
 */
export const SUMS = 10;
/** Side of SSIM's window in pixels. */
export const WINDOW = 11;

const range = (count: number) => [...Array(count).keys()];
/** The Gaussian of σ 1.5, of sum 1. */
const gaussian = range(WINDOW).map((i) => Math.exp(-((i - (WINDOW - 1) / 2) ** 2) / (2 * 1.5 ** 2)));
const total = gaussian.reduce((sum, weight) => sum + weight, 0);
const weight = (k: number) => `${Math.fround(gaussian[k]! / total)}f`;

const UNDER_WAY = WINDOW - 1;
const CHANNELS = range(3 * COLUMNS);
/** Pixels from a window's corner to its middle. */
const REACH = (WINDOW - 1) / 2;
const TEXELS = range(Math.ceil(3 * (COLUMNS + WINDOW - 1) / 4));
const MASK_TEXELS = range(Math.ceil((COLUMNS + WINDOW - 1) / 4));
/** Of the mask's texels those that hold the middles of a block's windows. */
const MIDDLE_TEXELS = range(2).map((t) => (REACH >> 2) + t);

/** Value `i` of a row's values, which lie four in a variable. */
const value = (name: string, i: number) => `${name}${i >> 2}[${i & 3}]`;

/** Fetches a row and makes sums and differences of it. */
const fetchRow = TEXELS.map((t) => `
    let a${t} = textureLoad(a, vec2u(min(first + ${t}, lastTexel), y), pair, 0);
    let b${t} = textureLoad(b, vec2u(min(first + ${t}, lastTexel), y), pair, 0);
    let e${t} = a${t} - b${t};
    let s${t} = a${t} + b${t} - shiftS${t % 3};
    let d${t} = e${t} - shiftD${t % 3};
    let ss${t} = s${t} * s${t};
    let dd${t} = d${t} * d${t};`).join("") +
  MASK_TEXELS.map((t) => `
    let w${t} = textureLoad(mask, vec2u(min(strip + ${t}, lastMask), y), pair, 0);`).join("");

const addErrors = range(COLUMNS).map((x) => {
  const [r, g, b] = [0, 1, 2].map((c) => value("e", 3 * x + c));
  return `
      sumErrors(vec3f(${r}, ${g}, ${b}), select(0.0, ${
    value("w", x)
  }, x0 + ${x} < size.width), x0 + ${x} < size.width);`;
}).join("");

/** Does the mask meet a column's windows in this row, and how many rows ago did it last? */
const addMask = range(COLUMNS).map((x) => {
  const seen = range(WINDOW).map((k) => value("w", x + k)).reduce((most, w) => `max(${most}, ${w})`);
  return `
    age${x} = select(age${x} + 1, 0, ${seen} > 0);`;
}).join("");

/**
 * Filters one channel of one column along the row and down the rows; gives the mean of s, d, s² and d² in the window
 * that ends here.
 */
const slide = (i: number) => {
  const along = range(WINDOW).map((k) => {
    const from = i + 3 * k;
    return `${weight(k)} * vec4f(${["s", "d", "ss", "dd"].map((name) => value(name, from)).join(", ")})`;
  }).join(" + ");
  return `
    let h${i} = ${along};
    let m${i} = window${i}_0 + ${weight(WINDOW - 1)} * h${i};` +
    range(UNDER_WAY - 1).map((k) => `
    window${i}_${k} = window${i}_${k + 1} + ${weight(UNDER_WAY - 1 - k)} * h${i};`).join("") + `
    window${i}_${UNDER_WAY - 1} = ${weight(0)} * h${i};`;
};

const addSimilarity = range(COLUMNS).map((x) => {
  const channels = range(3).map((c) => `similarity(m${3 * x + c}, middleS.${"xyz"[c]}, middleD.${"xyz"[c]})`);
  return `
      if (x0 + ${x} + ${WINDOW - 1} < size.width) { sumSimilarity((${channels.join(" + ")}) / 3, age${x} < ${WINDOW}, ${
    value("c", x + REACH)
  }); }`;
}).join("");

/** Fetches the weights at the middles of the windows that end in this row. */
const fetchMiddles = MIDDLE_TEXELS.map((t) => `
      let c${t} = textureLoad(mask, vec2u(min(strip + ${t}, lastMask), y - ${REACH}), pair, 0);`).join("");

/** Four texels in turn hold RGBR, GBRG, BRGB. */
const shifts = (name: string) =>
  range(3).map((t) => `
  let shift${name}${t} = vec4f(${range(4).map((l) => `middle${name}.${"xyz"[(4 * t + l) % 3]}`).join(", ")});`).join(
    "",
  );

/**
 * Bindings: 0 size of the images, their count, rows of a block and index of the first block; 1 a and 2 b: rows of
 * ⌈width/4⌉·3 texels; 3 mask: rows of ⌈width/4⌉ texels, 0 outside; 4 the sums of each block.
 */
export const COMPARE = /* wgsl */ `
struct Size { width: u32, height: u32, count: u32, rows: u32, firstBlock: u32 }
@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var a: texture_2d_array<f32>;
@group(0) @binding(2) var b: texture_2d_array<f32>;
@group(0) @binding(3) var mask: texture_2d_array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;
const C1 = 0.0001;
const C2 = 0.0009;

var<private> errors: vec4f;
var<private> weights: f32;
var<private> similarities: vec3f;
var<private> centred: vec2f;

fn sumErrors(d: vec3f, w: f32, inside: bool) {
  let error = select(vec2f(), vec2f(abs(d.x) + abs(d.y) + abs(d.z), dot(d, d)), inside);
  errors += vec4f(error, w * error);
  weights += w;
}

fn similarity(mean: vec4f, shiftS: f32, shiftD: f32) -> f32 {
  let variance = mean.zw - mean.xy * mean.xy;
  let level = (mean.xy + vec2f(shiftS, shiftD)) * (mean.xy + vec2f(shiftS, shiftD));
  return (1 - level.y / (0.5 * (level.x + level.y) + C1)) * (1 - 2 * variance.y / (variance.x + variance.y + 2 * C2));
}

fn sumSimilarity(ssim: f32, met: bool, w: f32) {
  centred += vec2f(w * ssim, w);
  similarities += vec3f(ssim, select(vec2f(), vec2f(ssim, 1), met));
}

fn valueAt(image: texture_2d_array<f32>, at: vec2u, pair: u32) -> f32 {
  return textureLoad(image, vec2u(at.x / 4, at.y), pair, 0)[at.x % 4];
}

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let across = (size.width + ${COLUMNS - 1}) / ${COLUMNS};
  let down = (size.height + size.rows - 1) / size.rows;
  if (id.x >= size.count * across * down) { return; }
  let strip = id.x % across;
  let y0 = id.x / across % down * size.rows;
  let pair = id.x / across / down;
  let x0 = strip * ${COLUMNS};
  let first = strip * ${3 * COLUMNS / 4};
  let lastTexel = 3 * across - 1;
  let lastMask = across - 1;
  let middle = vec2u(3 * min(x0 + ${
  (COLUMNS + WINDOW) >> 1
}, size.width - 1), min(y0 + (size.rows + ${UNDER_WAY}) / 2, size.height - 1));
  let middleA = vec3f(${range(3).map((c) => `valueAt(a, middle + vec2u(${c}, 0), pair)`).join(", ")});
  let middleB = vec3f(${range(3).map((c) => `valueAt(b, middle + vec2u(${c}, 0), pair)`).join(", ")});
  let middleS = middleA + middleB;
  let middleD = middleA - middleB;${shifts("S")}${shifts("D")}
  ${CHANNELS.map((i) => range(UNDER_WAY).map((k) => `var window${i}_${k} = vec4f();`).join(" ")).join("\n  ")}
  ${range(COLUMNS).map((x) => `var age${x} = ${WINDOW};`).join(" ")}
  let rows = min(size.rows + ${UNDER_WAY}, size.height - y0);
  for (var row = 0u; row < rows; row++) {
    let y = y0 + row;${fetchRow}
    if (row < size.rows) {${addErrors}
    }${addMask}${CHANNELS.map(slide).join("")}
    if (row >= ${UNDER_WAY}) {${fetchMiddles}${addSimilarity}
    }
  }
  let at = ${SUMS} * (size.firstBlock + id.x);
  for (var k = 0u; k < 4; k++) { sums[at + k] = errors[k]; }
  sums[at + 4] = weights;
  for (var k = 0u; k < 3; k++) { sums[at + 5 + k] = similarities[k]; }
  for (var k = 0u; k < 2; k++) { sums[at + 8 + k] = centred[k]; }
}
`;
