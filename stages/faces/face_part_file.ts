/** The part of a head that a regressor with a template mesh brings as its topology, as stage `flame` stores it. */
import type { FacePart } from "../../face/face_part.ts";
import type { FaceLandmarks } from "../../face/topology.ts";
import { decodeSafetensors, encodeSafetensors } from "../../nets/safetensors.ts";
import type { Tree } from "@ftim/pipeline";

/** A part of a head as a topology, and what its vertices mark. */
export interface StoredFacePart extends FacePart {
  readonly landmarks: FaceLandmarks;
}

/** The file of a part of a head. */
export function encodeFacePart({ topology, vertices, landmarks }: StoredFacePart): Uint8Array {
  const { triangles, uvs, surface } = topology;
  const { eyes, noseTip, mouthCorners, nose } = landmarks;
  const tensors = {
    triangles,
    uvs,
    vertices,
    surface: surface!.triangles,
    welded: surface!.welded,
    landmarks: Uint32Array.of(...eyes, noseTip, ...mouthCorners, ...nose),
  };
  return encodeSafetensors(
    Object.fromEntries(Object.entries(tensors).map(([name, data]) => [name, { shape: [data.length], data }])),
  );
}

/**
 * Reads a part of a head.
 *
 * @throws {TypeError} if the tree holds none, or its file is not whole
 */
export async function readFacePart(assets: Tree): Promise<StoredFacePart> {
  if (!assets.has("topology.safetensors")) {
    throw new TypeError(`A regressor's topology is facemeshcoords.ts or topology.safetensors, not ${assets.paths}`);
  }
  const tensors = decodeSafetensors(await assets.bytes("topology.safetensors"));
  const indices = (name: string): Uint32Array<ArrayBuffer> => {
    const data = tensors[name]?.data;
    if (!(data instanceof Uint32Array)) throw new TypeError(`topology.safetensors holds no indices "${name}"`);
    return data;
  };
  const uvs = tensors.uvs?.data;
  const [vertices, landmarks] = [indices("vertices"), [...indices("landmarks")]];
  if (!(uvs instanceof Float32Array) || uvs.length !== 2 * vertices.length || landmarks.length !== 12) {
    throw new TypeError(`topology.safetensors holds no place in the chart for each of ${vertices.length} vertices`);
  }
  const at = (i: number) => landmarks[i]!;
  return {
    vertices,
    topology: {
      vertexCount: vertices.length,
      triangles: indices("triangles"),
      uvs,
      surface: { triangles: indices("surface"), welded: indices("welded") },
    },
    landmarks: {
      eyes: [at(0), at(1), at(2), at(3)],
      noseTip: at(4),
      mouthCorners: [at(5), at(6)],
      nose: [at(7), at(8), at(9), at(10), at(11)],
    },
  };
}
