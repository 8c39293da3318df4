/**
 * A textured mesh as Wavefront OBJ and its materials as MTL, for programs that read no glTF. The package that writes
 * OBJ, three.js, wants a scene of its own and writes no MTL.
 */
import { vertexNormals } from "./normals.ts";
import { flipYZ } from "./pose.ts";
import type { Topology } from "./topology.ts";

/** Decimals of a coordinate in metres: micrometres. */
const DECIMALS = 6;

/**
 * Encodes a mesh. Its chart is turned over, because OBJ counts v from the bottom.
 *
 * @param vertices 3V in model space (or any right-handed frame with y up).
 * @param options.metres Length of one model unit.
 * @param options.name Name of the object in the file.
 * @param options.materials Name of the MTL file beside it.
 * @param options.material Which of that file's materials the mesh has.
 * @returns The bytes of a `.obj` file.
 */
export function encodeObj(
  vertices: Float32Array,
  { topology, metres, name, materials, material }: {
    topology: Topology;
    metres: number;
    name: string;
    materials: string;
    material: string;
  },
): Uint8Array {
  const { triangles, uvs } = topology;
  const normals = vertexNormals(flipYZ(vertices), topology);
  const lines = [`# ftim: metres, y up, the face toward +z`, `mtllib ${materials}`, `o ${name}`];
  for (let i = 0; i < vertices.length; i += 3) lines.push(`v ${numbers(vertices.subarray(i, i + 3), metres)}`);
  for (let i = 0; i < uvs.length; i += 2) lines.push(`vt ${numbers([uvs[i]!, 1 - uvs[i + 1]!])}`);
  for (let i = 0; i < normals.length; i += 3) lines.push(`vn ${numbers(normals.subarray(i, i + 3))}`);
  lines.push(`usemtl ${material}`, "s 1");
  for (let i = 0; i < triangles.length; i += 3) {
    const corners = Array.from(triangles.subarray(i, i + 3), (vertex) => Array(3).fill(vertex + 1).join("/"));
    lines.push(`f ${corners.join(" ")}`);
  }
  return new TextEncoder().encode(`${lines.join("\n")}\n`);
}

function numbers(values: ArrayLike<number>, scale = 1): string {
  return Array.from(values, (value) => (value * scale).toFixed(DECIMALS)).join(" ");
}

/** A material of one texture. */
export interface ObjMaterial {
  readonly name: string;
  /** Name of the picture beside the MTL file. */
  readonly texture: string;
  /** Whether light is in the texture already: the material then asks for none. */
  readonly unlit: boolean;
  /** What a reader should know of it, in one line. */
  readonly note: string;
}

/** The bytes of a `.mtl` file. */
export function encodeMtl(materials: readonly ObjMaterial[]): Uint8Array {
  const blocks = materials.map(({ name, texture, unlit, note }) =>
    [`# ${note}`, `newmtl ${name}`, `illum ${unlit ? 0 : 1}`, "Kd 1 1 1", "Ks 0 0 0", `map_Kd ${texture}`].join("\n")
  );
  return new TextEncoder().encode(`${blocks.join("\n\n")}\n`);
}
