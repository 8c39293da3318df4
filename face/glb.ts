/**
 * A textured face as one GLB file, for any 3-D viewer. glTF's frame is ours (right-handed, y up, the face toward +z),
 * and so is its texture space (v down from the top row).
 */
import { vertexNormals } from "./normals.ts";
import { flipYZ } from "./pose.ts";
import type { Topology } from "./topology.ts";

/**
 * Encodes a mesh with its texture.
 *
 * @param vertices 3V in model space (or any right-handed frame with y up).
 * @param options.texture The texture map as PNG (or JPEG) bytes.
 * @param options.metres Length of one model unit; 0.05 makes a grown person's face life-size.
 * @param options.name Name of the mesh in the file.
 * @param options.unlit Whether light is in the texture already: a viewer then adds none (`KHR_materials_unlit`).
 * @param options.note What a reader should know of the texture: `extras.note` of the material.
 * @returns The bytes of a `.glb` file.
 */
export async function encodeGlb(
  vertices: Float32Array,
  { topology, texture, metres = 0.05, name = "face", unlit = false, note }: {
    topology: Topology;
    texture: Uint8Array;
    metres?: number;
    name?: string;
    unlit?: boolean;
    note?: string;
  },
): Promise<Uint8Array> {
  const { Document, WebIO } = await import("@gltf-transform/core");
  const { KHRMaterialsUnlit } = await import("@gltf-transform/extensions");
  const document = new Document();
  document.getRoot().getAsset().generator = "ftim";
  const buffer = document.createBuffer();
  const accessor = (type: "VEC2" | "VEC3" | "SCALAR", array: Float32Array | Uint16Array | Uint32Array) =>
    document.createAccessor().setType(type).setArray(array as Float32Array<ArrayBuffer>).setBuffer(buffer);
  const indices = topology.vertexCount <= 65535 ? Uint16Array.from(topology.triangles) : topology.triangles;
  const image = document.createTexture("texture").setImage(new Uint8Array(texture)).setMimeType(mimeType(texture));
  // a viewer that knows no unlit materials shows a matt one
  const material = document.createMaterial("skin").setBaseColorTexture(image).setMetallicFactor(0).setRoughnessFactor(
    1,
  );
  if (unlit) {
    material.setExtension("KHR_materials_unlit", document.createExtension(KHRMaterialsUnlit).createUnlit());
  }
  if (note !== undefined) material.setExtras({ note });
  const primitive = document.createPrimitive()
    .setIndices(accessor("SCALAR", indices))
    .setAttribute("POSITION", accessor("VEC3", vertices.map((value) => value * metres)))
    .setAttribute("NORMAL", accessor("VEC3", vertexNormals(flipYZ(vertices), topology)))
    .setAttribute("TEXCOORD_0", accessor("VEC2", topology.uvs.slice()))
    .setMaterial(material);
  const mesh = document.createMesh(name).addPrimitive(primitive);
  const scene = document.createScene(name).addChild(document.createNode(name).setMesh(mesh));
  document.getRoot().setDefaultScene(scene);
  return await new WebIO().registerExtensions([KHRMaterialsUnlit]).writeBinary(document);
}

function mimeType(bytes: Uint8Array): "image/png" | "image/jpeg" {
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return "image/png";
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return "image/jpeg";
  throw new TypeError("A GLB file takes its texture as PNG or JPEG bytes");
}
