/**
 * The shaders behind raster.ts.
 *
 * records  one invocation a triangle: what a pixel needs of it, and its bit in the list of each tile that it meets
 * walk     one invocation a block of samples: it looks at the triangles of its tile's list in their order
 *
 * A tile is 4×2 blocks. Its list has a bit for each triangle, 32 in a word, and a bit of a mark for each word that is
 * not empty. So a list has a fixed place and keeps the order of the triangles, bits can be set in any order by several
 * invocations, and where nothing is a list ends at once. Tiles are small because a software adapter, which computes one
 * at a time, computes each triangle of the list for all of its blocks.
 *
 * An edge is computed from differences of its ends, and from the end that is nearer to the block. Seen from the
 * triangle on its other side the same numbers come out with the other sign, bit by bit, so that a sample on an edge is
 * never lost between two triangles; and near a corner, where many edges meet, nothing cancels out.
 */
import { program, type ProgramOptions } from "./kernels/dispatch.ts";

/** Blocks in a tile, across and down. */
export const TILE = { width: 4, height: 2 };
/** Triangles in a word, and words in a mark. */
export const WORD = 32;
/** Floats in a record. */
export const RECORD = 12;

/** Records and lists. Marks and words are 0 before. */
export function recordsCode(): string {
  return program({
    result: "vec4<f32>",
    inputs: [["positions", "f32"], ["corners", "i32"]],
    outputs: [["marks", "atomic<u32>"], ["words", "atomic<u32>"]],
    uniforms: [
      "count",
      "vertices",
      "triangles",
      "wordCount",
      "groups",
      "left",
      "top",
      "across",
      "down",
      "block",
      "width",
      "height",
      "cull",
      "scale:f32",
    ],
    functions: `
fn corner(mesh: i32, at: i32) -> vec3<f32> {
  let place = 3 * (mesh * u.vertices + corners[at]);
  return vec3<f32>(positions[place], positions[place + 1], positions[place + 2]) * u.scale;
}`,
    body: `
  if (id >= u.count) { return; }
  let mesh = id / u.triangles;
  let t = id % u.triangles;
  let a = corner(mesh, 3 * t);
  let b = corner(mesh, 3 * t + 1);
  let c = corner(mesh, 3 * t + 2);
  let ab = b - a;
  let ac = c - a;
  let area = ab.x * ac.y - ab.y * ac.x;
  result[3 * id] = vec4<f32>(a.xy, b.xy);
  result[3 * id + 1] = vec4<f32>(c.xy, 1.0 / area, a.z);
  result[3 * id + 2] = vec4<f32>(ab.z, ac.z, 0.0, 0.0);
  if (area == 0.0 || (u.cull != 0 && area > 0.0)) { return; }

  // The samples whose centres can lie inside, and their tiles.
  let last = vec2<f32>(f32(u.width) - 1.0, f32(u.height) - 1.0);
  let low = max(ceil(min(min(a.xy, b.xy), c.xy) - 0.5), vec2<f32>());
  let high = min(floor(max(max(a.xy, b.xy), c.xy) - 0.5), last);
  if (any(low > high)) { return; }
  let side = u.block * vec2<i32>(${TILE.width}, ${TILE.height});
  let first = vec2<i32>(u.left, u.top);
  let start = max(vec2<i32>(low) / side - first, vec2<i32>());
  let end = min(vec2<i32>(high) / side - first, vec2<i32>(u.across, u.down) - 1);

  let across = vec3<f32>(c.x - b.x, a.x - c.x, b.x - a.x) * sign(area);
  let down = vec3<f32>(c.y - b.y, a.y - c.y, b.y - a.y) * sign(area);
  // From the middle of a tile to its last sample.
  let half = 0.5 * vec2<f32>(side - 1);
  let reach = half.y * abs(across) + half.x * abs(down);
  let word = t / ${WORD};
  let bit = 1u << u32(t % ${WORD});
  let mark = 1u << u32(word % ${WORD});
  for (var y = start.y; y <= end.y; y++) {
    for (var x = start.x; x <= end.x; x++) {
      let middle = vec2<f32>((first + vec2<i32>(x, y)) * side) + half + 0.5;
      let right = middle.x - vec3<f32>(b.x, c.x, a.x);
      let below = middle.y - vec3<f32>(b.y, c.y, a.y);
      // Some more for the rounding: a sample on the edge must find the triangle.
      let size = abs(across * below) + abs(down * right) + reach;
      if (all(across * below - down * right + reach + 1e-5 * size >= vec3<f32>())) {
        let list = (mesh * u.down + y) * u.across + x;
        atomicOr(&words[list * u.wordCount + word], bit);
        atomicOr(&marks[list * u.groups + word / ${WORD}], mark);
      }
    }
  }`,
  });
}

/** What a walk does at a block. */
export interface WalkOptions {
  /** Samples along each side. */
  readonly block: number;
  /** Declarations before the walk. */
  readonly state: string;
  /** Whether the block is looked at; it may use `mesh`, `corner` and what `state` declares. Default "true". */
  readonly where?: string;
  /** Statements before the samples of a triangle, whose index is `t`. */
  readonly before?: string;
  /**
   * Statements for sample `k` of the block, rows first, which the triangle has if `hit` is true: at depth `z` and,
   * times `inverse`, at weights `e`. `nearest<k>` is the depth of what it has.
   */
  readonly sample: (k: number) => string;
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
    uniforms: [...WALKING, ...uniforms],
    functions: FUNCTIONS + functions,
    body: statements(walk) + after,
  });
}

const WALKING = ["walking", "firstMesh", "triangles", "wordCount", "groups", "left", "top", "across", "down"];

const FUNCTIONS = `
/** From the nearer end of an edge to a place that lies at p and q from its two ends. */
fn fromNearer(edge: vec2<f32>, p: vec2<f32>, q: vec2<f32>) -> vec2<f32> {
  let both = p + q;
  let side = dot(edge, both);
  return select(select(q, p, side < 0.0), 0.5 * both, side == 0.0);
}`;

function statements({ block, state, where = "true", before = "", sample }: WalkOptions): string {
  const each = (count: number, text: (k: number) => string) =>
    Array.from({ length: count }, (_, k) => text(k)).join("\n        ");
  const offset = (k: number) => (k - (block - 1) / 2).toFixed(1);
  const { width, height } = TILE;
  return `
  if (id >= u.walking) { return; }
  let list = u.firstMesh * u.across * u.down + id / ${width * height};
  let mesh = list / (u.across * u.down);
  let tile = vec2<i32>(u.left + list % u.across, u.top + list / u.across % u.down);
  let lane = vec2<i32>(id % ${width}, id / ${width} % ${height});
  let corner = ${block} * (vec2<i32>(${width}, ${height}) * tile + lane);
  let center = vec2<f32>(corner) + ${(block / 2).toFixed(1)};
  ${each(block ** 2, (k) => `var nearest${k} = 3e38;`)}
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
        let depths = records[record + 2].xy * abs(second.z);
        let a = first.xy;
        let b = first.zw;
        let c = second.xy;
        let inverse = abs(second.z);
        let turn = sign(second.z);
        let over = turn * vec3<f32>(c.x - b.x, a.x - c.x, b.x - a.x);
        let down = turn * vec3<f32>(c.y - b.y, a.y - c.y, b.y - a.y);
        let toA = center - a;
        let toB = center - b;
        let toC = center - c;
        let fromA = fromNearer(vec2<f32>(over.x, down.x), toB, toC);
        let fromB = fromNearer(vec2<f32>(over.y, down.y), toC, toA);
        let fromC = fromNearer(vec2<f32>(over.z, down.z), toA, toB);
        let right = vec3<f32>(fromA.x, fromB.x, fromC.x);
        let below = vec3<f32>(fromA.y, fromB.y, fromC.y);
        ${before}
        ${each(block, (k) => `let x${k} = down * (right + ${offset(k)});`)}
        ${each(block, (k) => `let y${k} = over * (below + ${offset(k)});`)}
        ${
    each(block ** 2, (k) =>
      `{
          let e = y${Math.floor(k / block)} - x${k % block};
          let z = second.w + e.y * depths.x + e.z * depths.y;
          let hit = e.x >= 0.0 && e.y >= 0.0 && e.z >= 0.0 && z < nearest${k};
          nearest${k} = select(nearest${k}, z, hit);
          ${sample(k)}
        }`)
  }
      }
    }
  }`;
}
