/**
 * The shaders behind raster.ts. Nothing is written by two invocations, so there are no atomics and no order to keep.
 *
 * records  one invocation for 32 triangles of a mesh: what a pixel needs of each, and which pixels it can have
 * lists    one invocation for a tile and 1,024 triangles: the triangles that can have a pixel there, one bit each
 * walk     one invocation for a block of samples: it looks at the triangles of its tile's list in their order
 *
 * A tile is 8×8 blocks. It has 32 triangles in a word of bits, and a bit of a mark for each word that is not empty;
 * other words are not written. So a list has a fixed place, keeps the order of the triangles, and where nothing is it
 * ends at once.
 *
 * An edge is computed from differences of its ends, and from the end that is nearer to the block. Seen from the
 * triangle on its other side the same numbers come out with the other sign, bit by bit, so that a sample on an edge is
 * never lost between two triangles; and near a corner, where many edges meet, nothing cancels out.
 */
import { program, type ProgramOptions } from "./kernels/dispatch.ts";

/** Blocks along each side of a tile. */
export const TILE = 8;
/** Triangles in a word, and words in a mark. */
export const WORD = 32;
/** Floats in a record. */
export const RECORD = 12;

/** Left, top, right and bottom of nothing. */
const NOWHERE = "vec4<i32>(0x7fffffff, 0x7fffffff, -1, -1)";

/** Records, boxes of the triangles and boxes of 32 triangles each. */
export function recordsCode(): string {
  return program({
    result: "vec4<f32>",
    inputs: [["positions", "f32"], ["corners", "i32"]],
    outputs: [["boxes", "vec4<i32>"], ["chunks", "vec4<i32>"]],
    uniforms: ["count", "vertices", "triangles", "words", "width", "height", "cull", "scale:f32"],
    functions: `
fn corner(mesh: i32, at: i32) -> vec3<f32> {
  let place = 3 * (mesh * u.vertices + corners[at]);
  return vec3<f32>(positions[place], positions[place + 1], positions[place + 2]) * u.scale;
}`,
    body: `
  if (id >= u.count) { return; }
  let mesh = id / u.words;
  let first = id % u.words * ${WORD};
  let last = vec2<f32>(f32(u.width) - 1.0, f32(u.height) - 1.0);
  var whole = ${NOWHERE};
  for (var t = first; t < min(first + ${WORD}, u.triangles); t++) {
    let a = corner(mesh, 3 * t);
    let b = corner(mesh, 3 * t + 1);
    let c = corner(mesh, 3 * t + 2);
    let ab = b - a;
    let ac = c - a;
    let area = ab.x * ac.y - ab.y * ac.x;
    var box = ${NOWHERE};
    if (area != 0.0 && (u.cull == 0 || area < 0.0)) {
      let low = max(ceil(min(min(a.xy, b.xy), c.xy) - 0.5), vec2<f32>());
      let high = min(floor(max(max(a.xy, b.xy), c.xy) - 0.5), last);
      if (all(low <= high)) { box = vec4<i32>(vec4<f32>(low, high)); }
    }
    let at = mesh * u.triangles + t;
    boxes[at] = box;
    whole = vec4<i32>(min(whole.xy, box.xy), max(whole.zw, box.zw));
    result[3 * at] = vec4<f32>(a.xy, b.xy);
    result[3 * at + 1] = vec4<f32>(c.xy, 1.0 / area, a.z);
    result[3 * at + 2] = vec4<f32>(ab.z, ac.z, 0.0, 0.0);
  }
  chunks[id] = whole;`,
  });
}

/** Marks, and the words of the lists. */
export function listsCode(): string {
  return program({
    result: "u32",
    inputs: [["boxes", "vec4<i32>"], ["chunks", "vec4<i32>"]],
    outputs: [["words", "u32"]],
    uniforms: ["count", "triangles", "wordCount", "groups", "tiles", "across", "side"],
    functions: `
fn meet(a: vec4<i32>, b: vec4<i32>) -> bool { return all(a.xy <= b.zw) && all(b.xy <= a.zw); }`,
    body: `
  if (id >= u.count) { return; }
  let list = id / u.groups;
  let mesh = list / u.tiles;
  let tile = list % u.tiles;
  let low = vec2<i32>(tile % u.across, tile / u.across) * u.side;
  let place = vec4<i32>(low, low + u.side - 1);
  let first = id % u.groups * ${WORD};
  var mark = 0u;
  for (var k = first; k < min(first + ${WORD}, u.wordCount); k++) {
    if (!meet(chunks[mesh * u.wordCount + k], place)) { continue; }
    let start = ${WORD} * k;
    var bits = 0u;
    for (var t = start; t < min(start + ${WORD}, u.triangles); t++) {
      if (meet(boxes[mesh * u.triangles + t], place)) { bits |= 1u << u32(t - start); }
    }
    if (bits == 0u) { continue; }
    words[list * u.wordCount + k] = bits;
    mark |= 1u << u32(k - first);
  }
  result[id] = mark;`,
  });
}

/** What a program that walks is given, and what it does. */
export interface WalkProgram extends Omit<ProgramOptions, "body"> {
  readonly walk: WalkOptions;
  /** Statements at the end. */
  readonly after: string;
}

/**
 * A program with an invocation for each block, which finds what each sample shows. After the walk `mesh` is the mesh,
 * `corner` the block's first sample, and `nearest<k>` the depth of sample k, at least 3e38 where there is none.
 */
export function walkProgram({ inputs, uniforms, functions = "", walk, after, ...others }: WalkProgram): string {
  return program({
    ...others,
    inputs: [["records", "vec4<f32>"], ["marks", "u32"], ["words", "u32"], ...inputs],
    uniforms: ["walking", "firstMesh", "triangles", "wordCount", "groups", "tiles", "across", ...uniforms],
    functions: FUNCTIONS + functions,
    body: statements(walk) + after,
  });
}

const FUNCTIONS = `
/** From the nearer end of an edge to a place that lies at p and q from its two ends. */
fn fromNearer(edge: vec2<f32>, p: vec2<f32>, q: vec2<f32>) -> vec2<f32> {
  let both = p + q;
  let side = dot(edge, both);
  return select(select(q, p, side < 0.0), 0.5 * both, side == 0.0);
}
/** Eight neighbours in memory are 4×2 blocks: a software adapter computes them at once. */
fn blockIn(lane: i32) -> vec2<i32> {
  return vec2<i32>((lane & 3) | ((lane >> 1) & 4), ((lane >> 2) & 1) | ((lane >> 3) & 6));
}`;

/** What a walk does at a block. */
export interface WalkOptions {
  /** Samples along each side. */
  readonly block: number;
  /** Declarations before the walk. */
  readonly state: string;
  /** Whether the block is looked at; it may use `mesh` and `corner`. Default "true". */
  readonly where?: string;
  /** Statements before the samples of a triangle, whose index is `t`. */
  readonly before?: string;
  /**
   * Statements for sample `k` of the block, rows first, which the triangle has if `hit` is true: at weights `w` and
   * depth `z`. `nearest<k>` is the depth that was found so far.
   */
  readonly sample: (k: number) => string;
}

function statements({ block, state, where = "true", before = "", sample }: WalkOptions): string {
  const each = (count: number, text: (k: number) => string) =>
    Array.from({ length: count }, (_, k) => text(k)).join("");
  const half = ((block - 1) / 2).toFixed(1);
  return `
  if (id >= u.walking) { return; }
  let list = u.firstMesh * u.tiles + id / ${TILE * TILE};
  let mesh = list / u.tiles;
  let tile = list % u.tiles;
  let corner = ${block} * (${TILE} * vec2<i32>(tile % u.across, tile / u.across) + blockIn(id % ${TILE * TILE}));
  let center = vec2<f32>(corner) + ${(block / 2).toFixed(1)};
  ${each(block ** 2, (k) => `var nearest${k} = 3e38;\n  `)}
  ${state}
  for (var group = select(u.groups, 0, ${where}); group < u.groups; group++) {
    var mark = marks[list * u.groups + group];
    while (mark != 0u) {
      let word = ${WORD} * group + i32(firstTrailingBit(mark));
      mark &= mark - 1u;
      var bits = words[list * u.wordCount + word];
      while (bits != 0u) {
        let t = ${WORD} * word + i32(firstTrailingBit(bits));
        bits &= bits - 1u;
        let record = 3 * (mesh * u.triangles + t);
        let first = records[record];
        let second = records[record + 1];
        let a = first.xy;
        let b = first.zw;
        let c = second.xy;
        let across = vec3<f32>(c.x - b.x, a.x - c.x, b.x - a.x);
        let down = vec3<f32>(c.y - b.y, a.y - c.y, b.y - a.y);
        let toA = center - a;
        let toB = center - b;
        let toC = center - c;
        let fromA = fromNearer(vec2<f32>(across.x, down.x), toB, toC);
        let fromB = fromNearer(vec2<f32>(across.y, down.y), toC, toA);
        let fromC = fromNearer(vec2<f32>(across.z, down.z), toA, toB);
        let right = vec3<f32>(fromA.x, fromB.x, fromC.x);
        let below = vec3<f32>(fromA.y, fromB.y, fromC.y);
        let atCenter = (across * below - down * right) * second.z;
        // No sample of the block lies farther inside than this; some more for the rounding.
        let most = atCenter + ${half} * 1.001 * (abs(across) + abs(down)) * abs(second.z) + 1e-6;
        if (any(most < vec3<f32>())) { continue; }
        let depths = records[record + 2].xy;
        ${before}
        ${
    each(block, (k) =>
      `let x${k} = down * (right + ${(k - (block - 1) / 2).toFixed(1)});
        let y${k} = across * (below + ${(k - (block - 1) / 2).toFixed(1)});\n        `)
  }
        ${
    each(block ** 2, (k) =>
      `{
          let w = (y${Math.floor(k / block)} - x${k % block}) * second.z;
          let z = second.w + w.y * depths.x + w.z * depths.y;
          let hit = all(w >= vec3<f32>()) && z < nearest${k};
          nearest${k} = select(nearest${k}, z, hit);
          ${sample(k)}
        }\n        `)
  }
      }
    }
  }`;
}
