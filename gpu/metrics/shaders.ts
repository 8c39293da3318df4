// The four shaders behind compare_images.ts. Every output has one invocation and a fixed order of work, so a result repeats bit for bit.
//
// errors    one invocation a pixel row: sums of |d|, d², w·|d|, w·d² and w along the row
// moments   one invocation eight window columns of a row: means, variances and covariance under the row part of SSIM's Gaussian, and whether
//           the mask is met
// similarity  one invocation eight windows of a column: the column part, then SSIM at each window
// totals    one invocation a row of windows: sums of SSIM, of SSIM where the window meets the mask, and of how many do
//
// Images come as textures of RGB with the mask (1 in both) as alpha, moments as four layers of a texture a pair: on a software adapter a texel is
// fetched faster than an element of a buffer, and a strip of eight fetches 18 of them and not 88.
//
// Sums go row by row in f32 and no further: the caller adds rows in double precision. Variance as E[x²] − E[x]² would lose its digits where an image
// is flat and bright, so values are taken from the strip's middle one; rows hold variances about their own mean, and the column part adds the
// variance of the row means: the law of total variance.

/** Outputs of an invocation of the moments and the similarity. */
export const STRIP = 8;
/** Layers of moments a pair. */
export const MOMENT_LAYERS = 4;

const WINDOW = 11;
const STEPS = STRIP + WINDOW - 1;

const HEADER = /* wgsl */ `
struct Size { width: u32, height: u32, count: u32, firstRow: u32 }
@group(0) @binding(0) var<uniform> size: Size;
`;

/** Sums along each pixel row. Bindings: 1 a, 2 b, 3 partial sums (8 values a row, the first 5 are written). */
export const ERRORS = HEADER + /* wgsl */ `
@group(0) @binding(1) var a: texture_2d_array<f32>;
@group(0) @binding(2) var b: texture_2d_array<f32>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= size.count * size.height) { return; }
  var sums = vec4f(0);
  var weights = 0.0;
  for (var x = 0u; x < size.width; x++) {
    let p = textureLoad(a, vec2u(x, row % size.height), row / size.height, 0);
    let d = p.rgb - textureLoad(b, vec2u(x, row % size.height), row / size.height, 0).rgb;
    let error = vec2f(abs(d.x) + abs(d.y) + abs(d.z), dot(d, d));
    sums += vec4f(error, p.a * error);
    weights += p.a;
  }
  let at = 8 * (size.firstRow + row);
  for (var k = 0u; k < 4; k++) { partial[at + k] = sums[k]; }
  partial[at + 4] = weights;
}
`;

const strip = [...Array(STRIP).keys()];
const steps = [...Array(STEPS).keys()];
/** For each of the strip's outputs whose window holds step k, a line with the output and its place in the window. */
const windows = (k: number, line: (output: number, weight: string) => string) =>
  strip.filter((o) => k >= o && k - o < WINDOW).map((o) => line(o, `gaussian[${k - o}]`)).join(" ");

const sums = (names: readonly string[]) =>
  strip.map((o) => names.map((name) => `var ${name}${o} = vec3f();`).join(" ")).join(" ");

/** Moments along rows. Bindings: 1 a, 2 b, 3 moments (4 layers a pair), 4 the eleven weights. */
export const MOMENTS = HEADER + /* wgsl */ `
@group(0) @binding(1) var a: texture_2d_array<f32>;
@group(0) @binding(2) var b: texture_2d_array<f32>;
@group(0) @binding(3) var moments: texture_storage_2d_array<rgba32float, write>;
@group(0) @binding(4) var<storage, read> gaussian: array<f32, ${WINDOW}>;

fn keep(at: vec2u, pair: u32, x: vec3f, y: vec3f, xx: vec3f, yy: vec3f, xy: vec3f, met: f32) {
  if (at.x >= size.width - ${WINDOW - 1}) { return; }
  textureStore(moments, at, 4 * pair, vec4f(x, met));
  textureStore(moments, at, 4 * pair + 1, vec4f(y, xx.x));
  textureStore(moments, at, 4 * pair + 2, vec4f(yy, xx.y));
  textureStore(moments, at, 4 * pair + 3, vec4f(xy, xx.z));
}

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let strips = (size.width - ${WINDOW - 1} + ${STRIP - 1}) / ${STRIP};
  if (id.x >= size.count * size.height * strips) { return; }
  let first = id.x % strips * ${STRIP};
  let line = id.x / strips % size.height;
  let pair = id.x / strips / size.height;
  let last = size.width - 1;
  let middle = vec2u(min(first + ${STEPS / 2}, last), line);
  let shiftX = textureLoad(a, middle, pair, 0).rgb;
  let shiftY = textureLoad(b, middle, pair, 0).rgb;
  ${sums(["x", "y", "xx", "yy", "xy"])}
  ${strip.map((o) => `var met${o} = 0.0;`).join(" ")}
  ${
  steps.map((k) =>
    `{
    let at = vec2u(min(first + ${k}, last), line);
    let p = textureLoad(a, at, pair, 0);
    let dx = p.rgb - shiftX;
    let dy = textureLoad(b, at, pair, 0).rgb - shiftY;
    let dxx = dx * dx; let dyy = dy * dy; let dxy = dx * dy;
    ${
      windows(k, (o, g) =>
        `x${o} += ${g} * dx; y${o} += ${g} * dy; xx${o} += ${g} * dxx; yy${o} += ${g} * dyy; xy${o} += ${g} * dxy; met${o} = max(met${o}, p.a);`)
    }
  }`
  ).join("\n  ")
}
  ${
  strip.map((o) =>
    `keep(vec2u(first + ${o}, line), pair, shiftX + x${o}, shiftY + y${o}, xx${o} - x${o} * x${o}, yy${o} - y${o} * y${o}, xy${o} - x${o} * y${o}, met${o});`
  ).join("\n  ")
}
}
`;

/** SSIM of each window. Bindings: 1 moments, 2 map (SSIM, 1 where the window meets the mask), 3 the eleven weights. */
export const SIMILARITY = HEADER + /* wgsl */ `
@group(0) @binding(1) var moments: texture_2d_array<f32>;
@group(0) @binding(2) var<storage, read_write> map: array<vec2f>;
@group(0) @binding(3) var<storage, read> gaussian: array<f32, ${WINDOW}>;
const C1 = 0.0001;
const C2 = 0.0009;

fn keep(at: vec2u, pair: u32, x: vec3f, y: vec3f, varX: vec3f, varY: vec3f, cov: vec3f, met: f32) {
  let rows = size.height - ${WINDOW - 1};
  if (at.y >= rows) { return; }
  let similarity = (2 * x * y + C1) * (2 * cov + C2) / ((x * x + y * y + C1) * (varX + varY + C2));
  map[(pair * rows + at.y) * (size.width - ${WINDOW - 1}) + at.x] =
    vec2f((similarity.x + similarity.y + similarity.z) / 3, select(0.0, 1.0, met > 0));
}

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let columns = size.width - ${WINDOW - 1};
  let strips = (size.height - ${WINDOW - 1} + ${STRIP - 1}) / ${STRIP};
  if (id.x >= size.count * strips * columns) { return; }
  let column = id.x % columns;
  let first = id.x / columns % strips * ${STRIP};
  let pair = id.x / columns / strips;
  let last = size.height - 1;
  let middle = vec2u(column, min(first + ${STEPS / 2}, last));
  let shiftX = textureLoad(moments, middle, 4 * pair, 0).xyz;
  let shiftY = textureLoad(moments, middle, 4 * pair + 1, 0).xyz;
  ${sums(["x", "y", "xx", "yy", "xy"])}
  ${strip.map((o) => `var met${o} = 0.0;`).join(" ")}
  ${
  steps.map((k) =>
    `{
    let at = vec2u(column, min(first + ${k}, last));
    let m0 = textureLoad(moments, at, 4 * pair, 0);
    let m1 = textureLoad(moments, at, 4 * pair + 1, 0);
    let m2 = textureLoad(moments, at, 4 * pair + 2, 0);
    let m3 = textureLoad(moments, at, 4 * pair + 3, 0);
    let dx = m0.xyz - shiftX;
    let dy = m1.xyz - shiftY;
    let dxx = dx * dx + vec3f(m1.w, m2.w, m3.w); let dyy = dy * dy + m2.xyz; let dxy = dx * dy + m3.xyz;
    ${
      windows(k, (o, g) =>
        `x${o} += ${g} * dx; y${o} += ${g} * dy; xx${o} += ${g} * dxx; yy${o} += ${g} * dyy; xy${o} += ${g} * dxy; met${o} = max(met${o}, m0.w);`)
    }
  }`
  ).join("\n  ")
}
  ${
  strip.map((o) =>
    `keep(vec2u(column, first + ${o}), pair, shiftX + x${o}, shiftY + y${o}, xx${o} - x${o} * x${o}, yy${o} - y${o} * y${o}, xy${o} - x${o} * y${o}, met${o});`
  ).join("\n  ")
}
}
`;

/** Sums along each row of windows. Bindings: 1 map, 2 partial sums (values 5, 6, 7 of each row's eight are written). */
export const TOTALS = HEADER + /* wgsl */ `
@group(0) @binding(1) var<storage, read> map: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let columns = size.width - 10;
  let rows = size.height - 10;
  if (id.x >= size.count * rows) { return; }
  var sums = vec3f(0);
  for (var u = 0u; u < columns; u++) {
    let window = map[id.x * columns + u];
    sums += vec3f(window.x, window.x * window.y, window.y);
  }
  let at = 8 * (size.firstRow + id.x / rows * size.height + id.x % rows) + 5;
  for (var k = 0u; k < 3; k++) { partial[at + k] = sums[k]; }
}
`;
