/**
 * Normals and shading of posed meshes as UV maps on the device, a batch of faces at once: `normalMap` and `shadingMap`
 * of normal_maps_cpu.ts. Each normal is summed over the triangles around its vertex in their order, so a face's bits
 * depend neither on the run nor on the other faces. They differ from the reference's by f32 rounding, about 1e-6.
 */
import type { Tensor, Tensor1D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { program, run } from "@ftim/gpu/wgsl";
import { LIGHT_BANDS } from "./light.ts";
import { BASIS, readLight, SHADING } from "./light_wgsl.ts";
import type { Topology } from "./topology.ts";
import { type UvTables, uvTables } from "./uv_tables.ts";

/**
 * Puts posed meshes on the device.
 *
 * @param meshes one a face, xyz triples in crop pixels (y down, z away)
 * @returns [B, V, 4]: xyz and a 0, which makes a vertex one element of four floats
 * @throws {RangeError} without a mesh; or if one has another number of vertices or a coordinate that is not finite, and
 *   the message says which
 */
export function uploadMeshes(tf: Tfjs, meshes: readonly Float32Array[], { vertexCount }: Topology): Tensor3D {
  if (meshes.length === 0) throw new RangeError("There is no mesh to put on the device");
  const values = new Float32Array(4 * vertexCount * meshes.length);
  for (const [face, vertices] of meshes.entries()) {
    if (vertices.length !== 3 * vertexCount) {
      throw new RangeError(`Face ${face}: its mesh has ${vertices.length / 3} vertices, not ${vertexCount}`);
    }
    for (let i = 0; i < vertices.length; i++) {
      if (!Number.isFinite(vertices[i])) {
        throw new RangeError(`Face ${face}: its mesh has ${vertices[i]} in vertex ${Math.floor(i / 3)}`);
      }
      values[4 * (face * vertexCount + Math.floor(i / 3)) + i % 3] = vertices[i]!;
    }
  }
  return tf.tensor3d(values, [meshes.length, vertexCount, 4]);
}

/** Declares `value`, that of the vertices at a texel. In this form three equal corners give their value exactly. */
const INTERPOLATE = `
  let first = values[corner.x].xyz;
  var value = first + w.y * (values[corner.y].xyz - first) + (1.0 - w.x - w.y) * (values[corner.z].xyz - first);`;

/** Options of {@linkcode normalMaps}. */
export interface NormalMapsOptions {
  readonly topology: Topology;
  /** Texels a side. Default 256. */
  readonly size?: number;
}

/**
 * Unit normal of each texel, in view space (x right, y up, z to the viewer).
 *
 * @param vertices [B, V, 4] of `uploadMeshes`
 * @returns [B, S, S, 3]; defined outside the chart too; (0, 0, 1) where the mesh has no area
 * @throws {RangeError} if the meshes are not of this topology
 */
export function normalMaps(tf: Tfjs, vertices: Tensor3D, { topology, size = 256 }: NormalMapsOptions): Tensor4D {
  const tables = tablesFor(tf, vertices, { topology, size });
  return tf.tidy(() => {
    const normals = interpolateMaps(tf, vertexNormalsOf(tf, vertices, tables), {
      tables,
      count: size * size,
      unit: true,
    });
    return tf.reshape(normals, [vertices.shape[0], size, size, 3]);
  });
}

/**
 * `normalMaps` of some texels alone, such as those that take part in a fit.
 *
 * @param vertices [B, V, 4] of `uploadMeshes`
 * @param options.places which texels [N] int32
 * @returns [B, N, 3]
 * @throws {RangeError} if the meshes are not of this topology
 */
export function sampleNormals(
  tf: Tfjs,
  vertices: Tensor3D,
  { topology, size = 256, places }: NormalMapsOptions & { readonly places: Tensor1D },
): Tensor3D {
  const tables = tablesFor(tf, vertices, { topology, size });
  return tf.tidy(() => {
    const normals = vertexNormalsOf(tf, vertices, tables);
    return interpolateMaps(tf, normals, { tables, count: places.size, places, unit: true });
  });
}

/** Texels that an invocation shades, so that the light is read once for all of them. */
const SHARE = 16;

/**
 * Shading of posed meshes in UV space: texture = albedo · shading, texel by texel.
 *
 * @param vertices [B, V, 4] of `uploadMeshes`
 * @param options.light [B, 27], band-major, RGB last
 * @returns [B, S, S, 3], not clamped
 * @throws {RangeError} if the shapes do not fit
 */
export function shadingMaps(
  tf: Tfjs,
  vertices: Tensor3D,
  { light, topology, size = 256 }: NormalMapsOptions & { readonly light: Tensor },
): Tensor4D {
  const tables = tablesFor(tf, vertices, { topology, size });
  const [batch, vertexCount] = vertices.shape;
  if (light.shape[0] !== batch || light.size !== 3 * LIGHT_BANDS * batch) {
    throw new RangeError(
      `Cannot shade meshes [${vertices.shape}] by a light [${light.shape}]: it must be [${batch}, 27]`,
    );
  }
  const texels = size * size;
  const slots = Math.ceil(texels / SHARE);
  return tf.tidy(() =>
    run(tf, {
      key: "shading_maps",
      code: () =>
        program({
          result: "f32",
          inputs: [["values", "vec4<f32>"], ["corners", "vec4<i32>"], ["weights", "vec2<f32>"], ["light", "f32"]],
          uniforms: ["total", "texels", "vertexCount", "slots"],
          body: `
  if (id >= u.total) { return; }
  let face = id / u.slots;
  ${readLight("light", `${3 * LIGHT_BANDS} * face`)}
  for (var texel = id % u.slots; texel < u.texels; texel += u.slots) {
    let corner = face * u.vertexCount + corners[texel];
    let w = weights[texel];
    ${INTERPOLATE}
    let norm = length(value);
    let normal = value / select(1.0, norm, norm > 0.0);
    ${BASIS}
    let shading = ${SHADING};
    let at = 3 * (face * u.texels + texel);
    result[at] = shading.x;
    result[at + 1] = shading.y;
    result[at + 2] = shading.z;
  }`,
        }),
      inputs: [vertexNormalsOf(tf, vertices, tables), tables.corners, tables.weights, light],
      shape: [batch, size, size, 3],
      uniforms: [batch * slots, texels, vertexCount, slots],
      invocations: batch * slots,
    })
  ) as Tensor4D;
}

/**
 * Place and unit normal of each texel, as elements of four floats; the fourth is 1 inside the chart and 0 outside.
 *
 * @param vertices [B, V, 4] of `uploadMeshes`
 * @returns [B, S², 4] each: places in crop pixels, normals as of `normalMaps`
 * @throws {RangeError} if the meshes are not of this topology
 */
export function surfaceMaps(
  tf: Tfjs,
  vertices: Tensor3D,
  { topology, size = 256 }: NormalMapsOptions,
): { places: Tensor; normals: Tensor } {
  const tables = tablesFor(tf, vertices, { topology, size });
  return tf.tidy(() => {
    const [places, normals] = [vertices, vertexNormalsOf(tf, vertices, tables)].map((values, i) =>
      interpolateMaps(tf, values, { tables, count: size * size, unit: i === 1, wide: true })
    ) as [Tensor, Tensor];
    return { places, normals };
  });
}

function tablesFor(
  tf: Tfjs,
  { shape }: Tensor3D,
  { topology, size }: Required<NormalMapsOptions>,
): UvTables {
  if (shape[0] === 0 || shape[1] !== topology.vertexCount || shape[2] !== 4) {
    throw new RangeError(`Meshes [${shape}] must be [B, ${topology.vertexCount}, 4], and B at least 1`);
  }
  return uvTables(tf, topology, size);
}

/** [B, V, 4] → [B, V, 4]. */
function vertexNormalsOf(tf: Tfjs, vertices: Tensor3D, { ring, offsets }: UvTables): Tensor3D {
  const [batch, count] = vertices.shape;
  return run(tf, {
    key: "vertex_normals",
    code: () =>
      program({
        result: "vec4<f32>",
        inputs: [["vertices", "vec4<f32>"], ["ring", "vec4<i32>"], ["offsets", "i32"]],
        uniforms: ["total", "vertexCount"],
        body: `
  if (id >= u.total) { return; }
  let vertex = id % u.vertexCount;
  let first = id - vertex;
  let a = vertices[id].xyz;
  var sum = vec3<f32>();
  for (var k = offsets[vertex]; k < offsets[vertex + 1]; k++) {
    let others = first + ring[k];
    sum += cross(vertices[others.x].xyz - a, vertices[others.y].xyz - a);
    sum += cross(vertices[others.z].xyz - a, vertices[others.w].xyz - a);
  }
  // From y down and z away to y up and z to the viewer: a half turn about x, which a cross product follows.
  let norm = length(sum);
  result[id] = select(vec4<f32>(0.0, 0.0, 1.0, 0.0), vec4<f32>(sum.x, -sum.y, -sum.z, 0.0) / norm, norm > 0.0);`,
      }),
    inputs: [vertices, ring, offsets],
    shape: vertices.shape,
    uniforms: [batch * count, count],
    invocations: batch * count,
  }) as Tensor3D;
}

/**
 * Values of the vertices [B, V, 4] at each texel or at some [B, N, 3], as unit vectors where asked; `wide` [B, N, 4],
 * and the fourth is 1 inside the chart.
 */
function interpolateMaps(
  tf: Tfjs,
  values: Tensor3D,
  { tables: { corners, weights }, count, places, unit, wide = false }: {
    tables: UvTables;
    count: number;
    places?: Tensor1D;
    unit: boolean;
    wide?: boolean;
  },
): Tensor3D {
  const [batch, vertexCount] = values.shape;
  return run(tf, {
    key: `interpolate_maps${wide ? "_wide" : ""}`,
    code: () =>
      program({
        result: wide ? "vec4<f32>" : "f32",
        inputs: [["values", "vec4<f32>"], ["corners", "vec4<i32>"], ["weights", "vec2<f32>"], ["places", "i32"]],
        uniforms: ["total", "count", "vertexCount", "unit", "chosen"],
        body: `
  if (id >= u.total) { return; }
  var texel = id % u.count;
  if (u.chosen != 0) { texel = places[texel]; }
  let corner = id / u.count * u.vertexCount + corners[texel];
  let w = weights[texel];
  ${INTERPOLATE}
  if (u.unit != 0) {
    let norm = length(value);
    value = value / select(1.0, norm, norm > 0.0);
  }
  ${
          wide
            ? "result[id] = vec4<f32>(value, f32(corners[texel].w));"
            : "result[3 * id] = value.x; result[3 * id + 1] = value.y; result[3 * id + 2] = value.z;"
        }`,
      }),
    // Where all texels are wanted, the list is not read.
    inputs: [values, corners, weights, places ?? corners],
    shape: [batch, count, wide ? 4 : 3],
    uniforms: [batch * count, count, vertexCount, unit ? 1 : 0, places === undefined ? 0 : 1],
    invocations: batch * count,
  }) as Tensor3D;
}
