/** `face.json`: all that is known of one reconstructed face, in numbers and units that other programs can use. */
import { type CropTransform, pointsInPhotograph, type Rectangle, toPhotograph } from "../../../face/crop.ts";
import { LIGHT_FACTORS } from "../../../face/light.ts";
import type { Angles, Pose } from "../../../face/pose.ts";
import type { Numbering } from "../../faces/geometry.ts";

/** What a program needs at once of a reconstructed face. */
export interface Head {
  /** Which face of its photograph, from 0, left to right. */
  readonly face: number;
  /** The detector's box, in pixels of the photograph. */
  readonly box: Rectangle;
  /** How the head is turned, degrees. */
  readonly angles: Angles;
  /** Share of the texture of which the photograph shows something, 0..1; the rest is reconstructed. */
  readonly seen: number;
  /** Borders of the photograph beyond which the face's mesh reaches. */
  readonly cutOff: readonly ("left" | "top" | "right" | "bottom")[];
  /**
   * Whether the photograph shows the face in greys, or in greys of one tint; the albedo's colours are then those of the
   * face model.
   */
  readonly colourless: boolean;
}

/** `<key>/face.json`. Pixels are those of the upright photograph, which have their centres at +0.5. */
export interface FaceRecord extends Head {
  /** Of this document. It counts up where a field changes its meaning or goes. */
  readonly schema: 1;
  /** Size of the photograph in those pixels. */
  readonly photograph: { readonly width: number; readonly height: number };
  /** `seen` of each half of the face; the left one is on the left of a frontal picture. */
  readonly seenHalves: { readonly left: number; readonly right: number };
  /** The square that the networks saw: `crop = scale · photograph + (x, y)`; its side is `size` pixels. */
  readonly crop: Omit<CropTransform, "photograph">;
  /** How the mesh of the GLB and OBJ files lies in the photograph. */
  readonly camera: {
    readonly projection: "scaled orthographic";
    /** Three rows of four: (x, y, depth) in pixels of a point (x, y, z, 1) in metres. Depth grows away from us. */
    readonly matrix: readonly (readonly number[])[];
    /** Three rows: a direction of the mesh → x right, y up, z to the viewer. */
    readonly rotation: readonly (readonly number[])[];
  };
  /** Where the mesh's vertices lie in the photograph. */
  readonly landmarks: {
    readonly numbering: string;
    /** Of each point its number in the whole template, where the mesh is a part of one. */
    readonly vertices?: readonly number[];
    /** x, y and depth in pixels; as many as vertices, in their order. */
    readonly points: readonly (readonly number[])[];
  };
  /** The light in the photograph as spherical harmonics. */
  readonly light: {
    /** How the texture comes of the albedo. */
    readonly convention: string;
    /** Axes of the normals. */
    readonly normals: string;
    /** What the normal (x, y, z) gives for each band, before its factor. */
    readonly bands: readonly string[];
    readonly factors: readonly number[];
    /** Red, green and blue of each band. */
    readonly coefficients: readonly (readonly number[])[];
  };
  readonly albedo: { readonly note: string };
  readonly mesh: {
    readonly vertices: number;
    readonly triangles: number;
    readonly unit: "metre";
    readonly part: string;
  };
  readonly texture: { readonly size: number };
  /** Names of the other files, which lie beside this one. */
  readonly files: Readonly<Record<string, string>>;
}

/** What is to be said wherever an albedo is handed over. */
export const ALBEDO_NOTE =
  "The tone of this albedo is not the person's skin tone: one photograph does not tell a dark skin in strong light " +
  "from a light one in weak light, and every face is drawn to the mean of the training faces.";

const PART = "face mask: the front of the face, without ears, skull and neck";
const CONVENTION =
  "shading = sum over bands of coefficient * factor * band(normal), on sRGB values as stored; texture = albedo + " +
  "template * (shading - 1) with the face model's own albedo as template, to which albedo * shading comes near";
const NORMALS = "x right, y up, z to the viewer, in the photograph: camera.rotation turns the mesh's that way";
/** Order and constants are DECA's. */
const BANDS = ["1", "x", "y", "z", "x*y", "x*z", "y*z", "x*x-y*y", "3*z*z-1"];
/** Decimals of a landmark: a hundredth of a pixel is below any network's error. */
const LANDMARK_DECIMALS = 2;

/** What the stages know of a face. */
export interface KnownFace extends Head {
  readonly transform: CropTransform;
  /** From model space to the crop. */
  readonly pose: Pose;
  /** Length of one unit of model space. */
  readonly metres: number;
  /** Posed, crop pixels (x right, y down, z away) [3·V]. */
  readonly vertices: Float32Array;
  /** 27 values, band-major, RGB last. */
  readonly light: Float32Array;
  readonly seenHalves: FaceRecord["seenHalves"];
  readonly triangles: number;
  readonly numbering: Numbering;
  /** Side of the texture in texels. */
  readonly size: number;
  readonly files: FaceRecord["files"];
}

/** Writes down a face. */
export function faceRecord(known: KnownFace): FaceRecord {
  const { face, box, angles, seen, seenHalves, cutOff, colourless, transform, vertices, light, files } = known;
  const { triangles, numbering, size } = known;
  const { photograph, ...crop } = transform;
  return {
    schema: 1,
    face,
    photograph,
    box,
    angles,
    seen,
    seenHalves,
    cutOff,
    colourless,
    files,
    albedo: { note: ALBEDO_NOTE },
    texture: { size },
    mesh: { vertices: vertices.length / 3, triangles, unit: "metre", part: PART },
    crop,
    camera: cameraOf(known),
    light: {
      convention: CONVENTION,
      normals: NORMALS,
      bands: BANDS,
      factors: LIGHT_FACTORS,
      coefficients: triples(light, exact),
    },
    landmarks: {
      numbering: numbering.name,
      ...(numbering.vertices && { vertices: [...numbering.vertices] }),
      points: triples(pointsInPhotograph(transform, vertices), hundredths),
    },
  };
}

/** The mesh's way into the photograph: out of metres, through the pose into the crop, and out of the crop. */
function cameraOf({ transform, pose, metres }: KnownFace): FaceRecord["camera"] {
  const { rotation, scale, translation } = pose;
  const row = (axis: number) => Array.from(rotation.subarray(3 * axis, 3 * axis + 3));
  const pixels = scale / metres / transform.scale;
  // view space has y up and z to the viewer, pixels have y down and depth away
  const signs = [1, -1, -1];
  const origin = toPhotograph(transform, { x: translation[0]!, y: -translation[1]! });
  const shift = [origin.x, origin.y, -translation[2]! / transform.scale];
  return {
    projection: "scaled orthographic",
    matrix: signs.map((sign, axis) => [...row(axis).map((value) => sign * pixels * value), shift[axis]!].map(exact)),
    rotation: signs.map((_, axis) => row(axis).map(exact)),
  };
}

function triples(values: ArrayLike<number>, rounded: (value: number) => number): number[][] {
  return Array.from({ length: values.length / 3 }, (_, i) => {
    return [values[3 * i]!, values[3 * i + 1]!, values[3 * i + 2]!].map(rounded);
  });
}

/** As many digits as a float32 has, and no −0. */
function exact(value: number): number {
  return Number(value.toPrecision(8)) + 0;
}

function hundredths(value: number): number {
  return Number(value.toFixed(LANDMARK_DECIMALS)) + 0;
}
