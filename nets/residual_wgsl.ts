/**
 * The passes of residual_network.ts. Values and weights are texels of four channels, [picture, row, column, group], so
 * that one program serves every layer of its kind, and what an adapter compiles does not depend on how many pictures
 * there are. An invocation owns several pixels, so that what it loads is used more than once.
 */
import { program } from "@ftim/gpu/wgsl";
import { fetchTexel, storeTexel } from "@ftim/gpu/texels";

const range = (count: number) => [...Array(count).keys()];
const TAPS = range(9).map((tap) => ({ tap, row: Math.floor(tap / 3), column: tap % 3 }));

const LEAKY = /* wgsl */ `
fn leaky(v : vec4<f32>, slope : vec4<f32>) -> vec4<f32> { return select(v * slope, v, v >= vec4<f32>()); }
`;

/** Pixels of three channels as texels. */
export const packCode = () =>
  program({
    result: "texture",
    inputs: [["x", "f32"]],
    uniforms: ["count"],
    body: `
  if (id >= u.count) { return; }
  ${storeTexel("id", "vec4<f32>(x[3 * id], x[3 * id + 1], x[3 * id + 2], 0)")}`,
  });

/** Columns of an invocation of the first layer. */
export const FIRST_COLUMNS = 8;

/** 3×3, stride 2, of three channels, leaky relu: some columns of one row × two groups of channels. */
export const firstCode = () =>
  program({
    result: "texture",
    inputs: [["x", "texture"], ["w", "texture"]],
    uniforms: ["count", "size", "groups", "filter_at", "bias", "slopes"],
    functions: LEAKY + /* wgsl */ `
fn pixel(row : i32, column : i32, inside : bool) -> vec3<f32> {
  let at = row * u.size * 2 + min(column, u.size * 2 - 1);
  return select(vec3<f32>(), ${fetchTexel("x", "at")}.xyz, inside && column < u.size * 2);
}
fn weight(at : i32) -> vec4<f32> { return ${fetchTexel("w", "at")}; }`,
    body: `
  if (id >= u.count) { return; }
  let pairs = u.groups / 2;
  let group = id % pairs * 2;
  let strips = (u.size + ${FIRST_COLUMNS - 1}) / ${FIRST_COLUMNS};
  let strip = id / pairs % strips * ${FIRST_COLUMNS};
  let row = id / pairs / strips;
  let inside = row % u.size < u.size - 1;
  let b0 = weight(u.bias + group);
  let b1 = weight(u.bias + group + 1);
  ${range(FIRST_COLUMNS).map((c) => `var a${c}_0 = b0; var a${c}_1 = b1;`).join("\n  ")}
  ${
      range(3).map((kh) =>
        `{
    let source = 2 * row + ${kh};
    let there = ${kh === 2 ? "inside" : "true"};
    let line = select(2 * row, source, there);
    ${range(2 * FIRST_COLUMNS + 1).map((c) => `let x${c} = pixel(line, 2 * strip + ${c}, there);`).join("\n    ")}
    ${
          range(3).map((kw) =>
            range(3).map((i) =>
              range(2).map((h) =>
                `{
      let k = weight(u.filter_at + ${(3 * kh + kw) * 3 + i} * u.groups + group + ${h});
      ${
                  range(FIRST_COLUMNS).map((c) =>
                    `a${c}_${h} = fma(vec4<f32>(x${2 * c + kw}.${"xyz"[i]}), k, a${c}_${h});`
                  )
                    .join(" ")
                }
    }`
              ).join("\n    ")
            ).join("\n    ")
          ).join("\n    ")
        }
  }`
      ).join("\n  ")
    }
  ${
      range(2).map((h) =>
        `{
    let slope = weight(u.slopes + group + ${h});
    ${
          range(FIRST_COLUMNS).map((c) =>
            `if (strip + ${c} < u.size) { ${
              storeTexel(
                `(row * u.size + strip + ${c}) * u.groups + group + ${h}`,
                `leaky(a${c}_${h}, slope)`,
              )
            } }`
          ).join("\n    ")
        }
  }`
      ).join("\n  ")
    }`,
  });

/** Rows and columns of an invocation of a depthwise layer. */
export const DEPTHWISE = { rows: (stride: number) => stride === 1 ? 4 : 2, columns: 4 };

/** 3×3 of each channel: some rows and columns of one group. */
export function depthwiseCode(stride: number): string {
  const [rows, columns] = [DEPTHWISE.rows(stride), DEPTHWISE.columns];
  // What "same" pads before the first pixel.
  const pad = stride === 1 ? 1 : 0;
  const owned = range(rows).flatMap((r) => range(columns).map((c) => ({ r, c })));
  const lines = range((rows - 1) * stride + 3).map((row) => {
    const met = owned.flatMap(({ r, c }) =>
      TAPS.flatMap((tap) => r * stride + tap.row === row ? [{ r, c, tap: tap.tap, x: c * stride + tap.column }] : [])
    );
    return `{
    let line = first + ${row};
    let there = line >= 0 && line < u.from_size;
    let base = (picture * u.from_size + clamp(line, 0, u.from_size - 1)) * u.from_size;
    ${
      range((columns - 1) * stride + 3).map((c) => `let x${c} = pixel(base, left + ${c}, there, group);`).join("\n    ")
    }
    ${met.map(({ r, c, tap, x }) => `a${r}_${c} = fma(x${x}, w${tap}, a${r}_${c});`).join("\n    ")}
  }`;
  });
  return program({
    result: "texture",
    inputs: [["x", "texture"], ["w", "texture"]],
    uniforms: ["count", "size", "from_size", "groups", "filter_at"],
    functions: /* wgsl */ `
fn pixel(base : i32, column : i32, inside : bool, group : i32) -> vec4<f32> {
  let at = (base + clamp(column, 0, u.from_size - 1)) * u.groups + group;
  return select(vec4<f32>(), ${fetchTexel("x", "at")}, inside && column >= 0 && column < u.from_size);
}
fn weight(at : i32) -> vec4<f32> { return ${fetchTexel("w", "at")}; }`,
    body: `
  if (id >= u.count) { return; }
  let group = id % u.groups;
  let strips = (u.size + ${columns - 1}) / ${columns};
  let down = (u.size + ${rows - 1}) / ${rows};
  let column = id / u.groups % strips * ${columns};
  let row = id / u.groups / strips % down * ${rows};
  let picture = id / u.groups / strips / down;
  let first = row * ${stride} - ${pad};
  let left = column * ${stride} - ${pad};
  ${TAPS.map(({ tap }) => `let w${tap} = weight(u.filter_at + ${tap} * u.groups + group);`).join("\n  ")}
  ${owned.map(({ r, c }) => `var a${r}_${c} = vec4<f32>();`).join(" ")}
  ${lines.join("\n  ")}
  ${
      owned.map(({ r, c }) =>
        `if (row + ${r} < u.size && column + ${c} < u.size) { ${
          storeTexel(
            `((picture * u.size + row + ${r}) * u.size + column + ${c}) * u.groups + group`,
            `a${r}_${c}`,
          )
        } }`
      ).join("\n  ")
    }`,
  });
}

/** Pixels of an invocation of a pointwise layer. */
export const PIXELS = 16;
/** So many pixels are multiplied together: their sums and factors fit into a CPU's vector registers. */
const BLOCK = 2;

/**
 * 1×1, bias, shortcut, leaky relu: some pixels × two groups of channels. `shortcut`: what is added; "pooled" is the
 * maximum of 2×2 pixels of a picture that is twice as large. A head writes a buffer.
 */
export function pointwiseCode({ shortcut, head }: {
  shortcut: "none" | "plain" | "pooled";
  head: boolean;
}): string {
  const place = (p: number, h: number) => `(pixel + ${p}) * u.groups + group + ${h}`;
  const added = (p: number, h: number) =>
    shortcut === "none" ? `a${p}_${h}` : `a${p}_${h} + shortcut(pixel + ${p}, group + ${h})`;
  const finished = (p: number, h: number) => head ? `a${p}_${h}` : `leaky(${added(p, h)}, slope)`;
  const store = (p: number, h: number) =>
    head ? `result[${place(p, h)}] = ${finished(p, h)};` : storeTexel(place(p, h), finished(p, h));
  const blocks = range(PIXELS / BLOCK).map((b) => range(BLOCK).map((p) => b * BLOCK + p));
  return program({
    result: head ? "vec4<f32>" : "texture",
    inputs: [["x", "texture"], ["w", "texture"], ...(shortcut === "none" ? [] : [["s", "texture"] as const])],
    uniforms: ["count", "pixels", "size", "from_groups", "groups", "filter_at", "bias", "slopes", "shortcut_groups"],
    functions: `${LEAKY}
fn weight(at : i32) -> vec4<f32> { return ${fetchTexel("w", "at")}; }
${shortcut === "none" ? "" : shortcutCode(shortcut === "pooled")}`,
    body: `
  if (id >= u.count) { return; }
  let pairs = (u.groups + 1) / 2;
  let group = id % pairs * 2;
  let pixel = id / pairs * ${PIXELS};
  let last = u.pixels - 1;
  let other = min(group + 1, u.groups - 1);
  let b0 = weight(u.bias + group);
  let b1 = weight(u.bias + other);
  ${range(PIXELS).map((p) => `var a${p}_0 = b0; var a${p}_1 = b1;`).join("\n  ")}
  ${range(PIXELS).map((p) => `let from${p} = min(pixel + ${p}, last) * u.from_groups;`).join("\n  ")}
  for (var c = 0; c < u.from_groups; c++) {
    ${range(PIXELS).map((p) => `let x${p} = ${fetchTexel("x", `from${p} + c`)};`).join("\n    ")}
    let row = u.filter_at + 4 * c * u.groups;
    ${
      range(4).map((i) =>
        `let w${i}_0 = weight(row + ${i} * u.groups + group); let w${i}_1 = weight(row + ${i} * u.groups + other);`
      ).join("\n    ")
    }
    ${
      range(2).flatMap((h) =>
        blocks.flatMap((block) =>
          range(4).flatMap((i) =>
            block.map((p) => `a${p}_${h} = fma(vec4<f32>(x${p}.${"xyzw"[i]}), w${i}_${h}, a${p}_${h});`)
          )
        )
      ).join("\n    ")
    }
  }
  ${
      range(2).map((h) =>
        `if (group + ${h} < u.groups) {
    ${head ? "" : `let slope = weight(u.slopes + group + ${h});`}
    ${range(PIXELS).map((p) => `if (pixel + ${p} <= last) { ${store(p, h)} }`).join("\n    ")}
  }`
      ).join("\n  ")
    }`,
  });
}

function shortcutCode(pooled: boolean): string {
  const at = (down: number, right: number) =>
    fetchTexel("s", `at + (${down} * 2 * u.size + ${right}) * u.shortcut_groups`);
  const value = pooled
    ? `
  let row = pixel / u.size;
  let at = (4 * row * u.size + 2 * (pixel - row * u.size)) * u.shortcut_groups + min(group, u.shortcut_groups - 1);
  let value = max(max(${at(0, 0)}, ${at(0, 1)}), max(${at(1, 0)}, ${at(1, 1)}));`
    : `
  let at = pixel * u.shortcut_groups + min(group, u.shortcut_groups - 1);
  let value = ${fetchTexel("s", "at")};`;
  return `fn shortcut(pixel : i32, group : i32) -> vec4<f32> {${value}
  return select(vec4<f32>(), value, group < u.shortcut_groups);
}`;
}
