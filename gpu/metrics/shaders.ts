// The three shaders behind compare_images.ts. All work is one invocation an output, each in a fixed order, so a result repeats bit for bit.
//
// errors    one invocation a pixel row: sums of |d|, d², w·|d|, w·d² and w along the row
// moments   one invocation a window column position: means, variances and covariance under the row part of SSIM's Gaussian, and whether the mask is met
// similarity  the column part, then SSIM at each window
// totals    one invocation a row of windows: sums of SSIM, of SSIM where the window meets the mask, and of how many do
//
// Sums go row by row in f32 and no further: the caller adds rows in double precision. Variance as E[x²] − E[x]² would lose its digits where an image
// is flat and bright, so rows hold variances about their own mean (computed from differences to the middle pixel) and the column part adds the
// variance of the row means: the law of total variance.

const HEADER = /* wgsl */ `
struct Size { width: u32, height: u32, count: u32, firstRow: u32 }
@group(0) @binding(0) var<uniform> size: Size;
`;

/** Sums along each pixel row. Bindings: 1 a, 2 b, 3 mask, 4 partial sums (8 values a row, the first 5 are written). */
export const ERRORS = HEADER + /* wgsl */ `
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<f32>;
@group(0) @binding(4) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= size.count * size.height) { return; }
  var sums = vec4f(0);
  var weights = 0.0;
  for (var x = 0u; x < size.width; x++) {
    let pixel = row * size.width + x;
    let d = vec3f(a[3 * pixel] - b[3 * pixel], a[3 * pixel + 1] - b[3 * pixel + 1], a[3 * pixel + 2] - b[3 * pixel + 2]);
    let error = vec2f(abs(d.x) + abs(d.y) + abs(d.z), dot(d, d));
    let w = mask[pixel];
    sums += vec4f(error, w * error);
    weights += w;
  }
  let at = 8 * (size.firstRow + row);
  for (var k = 0u; k < 4; k++) { partial[at + k] = sums[k]; }
  partial[at + 4] = weights;
}
`;

/** Moments along rows. Bindings: 1 a, 2 b, 3 mask, 4 moments (4 vec4 a window column), 5 the eleven weights. */
export const MOMENTS = HEADER + /* wgsl */ `
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> mask: array<f32>;
@group(0) @binding(4) var<storage, read_write> moments: array<vec4f>;
@group(0) @binding(5) var<storage, read> gaussian: array<f32, 11>;

fn pixelA(i: u32) -> vec3f { return vec3f(a[3 * i], a[3 * i + 1], a[3 * i + 2]); }
fn pixelB(i: u32) -> vec3f { return vec3f(b[3 * i], b[3 * i + 1], b[3 * i + 2]); }

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let columns = size.width - 10;
  if (id.x >= size.count * size.height * columns) { return; }
  let first = id.x / columns * size.width + id.x % columns;
  let x0 = pixelA(first + 5);
  let y0 = pixelB(first + 5);
  var mx = vec3f(0);
  var my = vec3f(0);
  var xx = vec3f(0);
  var yy = vec3f(0);
  var xy = vec3f(0);
  var met = 0.0;
  for (var k = 0u; k < 11; k++) {
    let pixel = first + k;
    let g = gaussian[k];
    let x = pixelA(pixel) - x0;
    let y = pixelB(pixel) - y0;
    mx += g * x;
    my += g * y;
    xx += g * x * x;
    yy += g * y * y;
    xy += g * x * y;
    met = max(met, mask[pixel]);
  }
  xx -= mx * mx;
  yy -= my * my;
  xy -= mx * my;
  moments[4 * id.x] = vec4f(x0 + mx, met);
  moments[4 * id.x + 1] = vec4f(y0 + my, xx.x);
  moments[4 * id.x + 2] = vec4f(yy, xx.y);
  moments[4 * id.x + 3] = vec4f(xy, xx.z);
}
`;

/** SSIM of each window. Bindings: 1 moments, 2 map (SSIM, 1 where the window meets the mask), 3 the eleven weights. */
export const SIMILARITY = HEADER + /* wgsl */ `
@group(0) @binding(1) var<storage, read> moments: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> map: array<vec2f>;
@group(0) @binding(3) var<storage, read> gaussian: array<f32, 11>;
const C1 = 0.0001;
const C2 = 0.0009;

@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  let columns = size.width - 10;
  let rows = size.height - 10;
  if (id.x >= size.count * rows * columns) { return; }
  let image = id.x / (rows * columns);
  let window = id.x % (rows * columns);
  let first = image * size.height * columns + window;
  var x = vec3f(0);
  var y = vec3f(0);
  var met = 0.0;
  for (var k = 0u; k < 11; k++) {
    let at = 4 * (first + k * columns);
    x += gaussian[k] * moments[at].xyz;
    y += gaussian[k] * moments[at + 1].xyz;
    met = max(met, moments[at].w);
  }
  var varX = vec3f(0);
  var varY = vec3f(0);
  var cov = vec3f(0);
  for (var k = 0u; k < 11; k++) {
    let at = 4 * (first + k * columns);
    let dx = moments[at].xyz - x;
    let dy = moments[at + 1].xyz - y;
    varX += gaussian[k] * (dx * dx + vec3f(moments[at + 1].w, moments[at + 2].w, moments[at + 3].w));
    varY += gaussian[k] * (dy * dy + moments[at + 2].xyz);
    cov += gaussian[k] * (dx * dy + moments[at + 3].xyz);
  }
  let similarity = (2 * x * y + C1) * (2 * cov + C2) / ((x * x + y * y + C1) * (varX + varY + C2));
  map[id.x] = vec2f((similarity.x + similarity.y + similarity.z) / 3, select(0.0, 1.0, met > 0));
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
