/**
 * The shaders behind fit_albedos.ts. What differs by face lies in elements of four faces where the basis is read, so
 * that one read of it serves four. Bits of a face do not depend on the three beside it.
 */
import { program } from "@ftim/gpu/wgsl";
import { WITNESSES } from "./albedo_fit_options.ts";
import { BASIS, LIGHT_ELEMENTS, loadLight, SHADING } from "./light_wgsl.ts";
import { WEIGHT_SUM } from "./fit_lights.ts";
import { LANES } from "./weighted_sums.ts";

const faces = [0, 1, 2, 3];
const each = (line: (f: number) => string) => faces.map(line).join("\n  ");

/**
 * Albedo of each sample by the face's code, and its weight: less where the albedo in the last turn's light is farther
 * than `huber` from the colour. One invocation has a sample of four faces.
 */
export function albedoCode(): string {
  return program({
    result: "vec4<f32>",
    inputs: [
      ["mean", "vec4<f32>"],
      ["rows", "vec4<f32>"],
      ["codes", "vec4<f32>"],
      ["shading", "vec4<f32>"],
      ["place", "vec4<f32>"],
      ["colour", "vec4<f32>"],
    ],
    uniforms: ["total", "batch", "count", "width", "used", "codeWidth", "huber:f32"],
    functions: `
fn weighted(at : i32, albedo : vec3<f32>) -> vec4<f32> {
  let error = abs(albedo * shading[at].xyz - colour[at].xyz);
  let robust = min(1.0, u.huber / max((error.x + error.y + error.z) / 3.0, 1e-6));
  // The first turn has the mean albedo, and no light yet to doubt a colour by.
  return vec4<f32>(albedo, place[at].w * select(robust, 1.0, u.used == 0));
}`,
    body: `
  if (id >= u.total) { return; }
  let sample = id % u.count;
  let face = 4 * (id / u.count);
  let row = 3 * sample * u.width;
  let start = mean[sample].xyz;
  ${each((f) => `var a${f} = start;`)}
  for (var k = 0; k < u.used; k++) {
    let r = rows[row + k];
    let g = rows[row + u.width + k];
    let b = rows[row + 2 * u.width + k];
    ${
      each((f) => `
    let c${f} = codes[min(face + ${f}, u.batch - 1) * u.codeWidth + k];
    a${f} += vec3<f32>(dot(c${f}, r), dot(c${f}, g), dot(c${f}, b));`)
    }
  }
  ${
      each((f) => {
        const at = `(face + ${f}) * u.count + sample`;
        return `if (face + ${f} < u.batch) { result[${at}] = weighted(${at}, a${f}); }`;
      })
    }`,
  });
}

/**
 * What each sample's squares and residual are multiplied by, for each colour: weight · shading², and weight · shading ·
 * (colour − mean · shading); the second after all of the first, in elements of four faces. And the shading. An
 * invocation takes some samples of one face.
 */
export function termsCode(): string {
  const store = (plane: string, value: string) =>
    ["x", "y", "z"].map((c, k) => `result[${plane} + ${4 * k}] = ${value}.${c};`).join("\n    ");
  return program({
    result: "f32",
    inputs: [
      ["mean", "vec4<f32>"],
      ["lights", "vec4<f32>"],
      ["place", "vec4<f32>"],
      ["colour", "vec4<f32>"],
      ["albedo", "vec4<f32>"],
    ],
    outputs: [["shadings", "vec4<f32>"]],
    uniforms: ["total", "count", "slots", "plane"],
    body: `
  if (id >= u.total) { return; }
  let face = id / u.slots;
  let first = face * ${LIGHT_ELEMENTS};
  ${loadLight("lights", "first")}
  for (var sample = id % u.slots; sample < u.count; sample += u.slots) {
    let at = face * u.count + sample;
    let normal = place[at].xyz;
    ${BASIS}
    let shading = ${SHADING};
    shadings[at] = vec4<f32>(shading, 0.0);
    let weighted = albedo[at].w * shading;
    let squared = weighted * shading;
    let residual = weighted * (colour[at].xyz - mean[sample].xyz * shading);
    let to = 4 * (face / 4 * 3 * u.count + 3 * sample) + face % 4;
    ${store("to", "squared")}
    ${store("to + u.plane", "residual")}
  }`,
  });
}

/**
 * Products of four components with four others, summed over a lane's rows for some groups of four faces. One read of
 * the components serves all of them; the sums of a face are the same however many there are.
 */
export function productsCode(together: number): string {
  const groups = [...Array(together).keys()];
  const each = (line: (g: number, a: number, b: number) => string) =>
    groups.flatMap((g) => faces.flatMap((a) => faces.map((b) => line(g, a, b)))).join("\n    ");
  return program({
    result: "vec4<f32>",
    inputs: [["rows", "vec4<f32>"], ["terms", "vec4<f32>"]],
    uniforms: ["total", "first", "groups", "tiles", "height", "width"],
    body: `
  if (id >= u.total) { return; }
  let lane = id % ${LANES};
  let tile = id / ${LANES} % u.tiles;
  let group = id / ${LANES} / u.tiles * ${together};
  var j = 0;
  var k = tile;
  while (k > j) {
    j++;
    k -= j;
  }
  ${groups.map((g) => `let terms${g} = (u.first + min(group + ${g}, u.groups - 1)) * u.height;`).join("\n  ")}
  ${each((g, a, b) => `var s${g}${a}${b} = vec4<f32>();`)}
  for (var row = lane; row < u.height; row += ${LANES}) {
    ${groups.map((g) => `let t${g} = terms[terms${g} + row];`).join("\n    ")}
    let left = rows[row * u.width + j];
    let right = rows[row * u.width + k];
    ${faces.map((a) => `let p${a} = left.${"xyzw"[a]} * right;`).join(" ")}
    ${each((g, a, b) => `s${g}${a}${b} = fma(vec4<f32>(p${a}.${"xyzw"[b]}), t${g}, s${g}${a}${b});`)}
  }
  ${
      groups.map((g) => `
  if (group + ${g} < u.groups) {
    let to = ((group + ${g}) * u.tiles + tile) * ${16 * LANES} + lane;
    ${faces.flatMap((a) => faces.map((b) => `result[to + ${(4 * a + b) * LANES}] = s${g}${a}${b};`)).join("\n    ")}
  }`).join("")
    }`,
  });
}

/** Four components times the residual, summed over a lane's rows for four faces. */
export function residualsCode(): string {
  return program({
    result: "vec4<f32>",
    inputs: [["rows", "vec4<f32>"], ["terms", "vec4<f32>"]],
    uniforms: ["total", "height", "width", "plane"],
    body: `
  if (id >= u.total) { return; }
  let lane = id % ${LANES};
  let j = id / ${LANES} % u.width;
  let group = id / ${LANES} / u.width;
  ${each((a) => `var s${a} = vec4<f32>();`)}
  for (var row = lane; row < u.height; row += ${LANES}) {
    let term = terms[u.plane + group * u.height + row];
    let left = rows[row * u.width + j];
    ${each((a) => `s${a} = fma(vec4<f32>(left.${"xyzw"[a]}), term, s${a});`)}
  }
  let to = id / ${LANES} * ${4 * LANES} + lane;
  ${each((a) => `result[to + ${a * LANES}] = s${a};`)}`,
  });
}

/**
 * The system of each face's code: the sums times trust / noise, and the prior. A face's samples count as `WITNESSES`.
 */
export function systemsCode(): string {
  return program({
    result: "f32",
    inputs: [["products", "f32"], ["residuals", "f32"], ["sums", "f32"]],
    uniforms: ["total", "batch", "n", "tiles", "width", "sumsLength", "noise:f32"],
    body: `
  if (id >= u.total) { return; }
  let face = id % u.batch;
  let column = id / u.batch % (u.n + 1);
  let row = id / u.batch / (u.n + 1);
  let total = sums[face * u.sumsLength + ${WEIGHT_SUM}];
  let seen = sums[face * u.sumsLength + ${WEIGHT_SUM + 1}];
  let trust = select(0.0, ${WITNESSES}.0 * min(1.0, total / (0.2 * seen)) / total, total > 0.0);
  let scale = trust / u.noise;
  let group = face / 4;
  if (column == u.n) {
    result[id] = scale * residuals[4 * (group * 4 * u.width + row) + face % 4];
    return;
  }
  let low = min(row, column);
  let high = max(row, column);
  let tile = high / 4 * (high / 4 + 1) / 2 + low / 4;
  let product = products[4 * ((group * u.tiles + tile) * 16 + 4 * (high % 4) + low % 4) + face % 4];
  result[id] = scale * product + select(0.0, 1.0, row == column);`,
  });
}
