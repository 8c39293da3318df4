// The face that other programs are shown: a head whose texture has another colour in each quarter, so that a file that
// is upside down, mirrored or inside out shows a wrong one somewhere.
import { encodeGlb } from "../../face/glb.ts";
import { gridHead } from "./head.ts";

/** Length of one model unit: the face is 0.2 m high. */
export const METRES = 0.1;

export const { topology, model } = gridHead(21);

/** Vertex at the tip of the nose, the one furthest in front. */
export const NOSE = 11 * 21 + 10;

/** Side of the texture, texels. */
export const SIZE = 16;

/** The texture: the colours of {@link QUARTERS}, as one fixed PNG, since encoders may differ between machines. */
export const PNG = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAMAAAAoLQ9TAAAADFBMVEUoPMjIKCgooCjcyDzhk9DfAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAGElE" +
    "QVQY02NghAImKGAYIAEYYIaCARIAAMkQAYHstYubAAAAAElFTkSuQmCC",
);

/**
 * Points of the face as who stands before it sees them, metres to the right and up, and the texture's colour there,
 * sRGB 0..255. The person's left brow is on the right.
 */
export const QUARTERS = [
  { name: "right brow", point: [-0.035, 0.05], colour: [200, 40, 40] },
  { name: "left brow", point: [0.035, 0.05], colour: [40, 160, 40] },
  { name: "right side of the chin", point: [-0.035, -0.05], colour: [40, 60, 200] },
  { name: "left side of the chin", point: [0.035, -0.05], colour: [220, 200, 60] },
] as const;

/** The two files that `reconstruct` writes of a face, by their names. */
export async function viewedFiles() {
  const mesh = { topology, texture: PNG, metres: METRES };
  return {
    "face.glb": await encodeGlb(model, { ...mesh, unlit: true }),
    "face_albedo.glb": await encodeGlb(model, { ...mesh, note: "a word" }),
  };
}

if (import.meta.main) {
  const [folder] = Deno.args;
  if (folder === undefined) throw new Error("Name a folder for the two files and the points to look at");
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(await viewedFiles())) await Deno.writeFile(`${folder}/${name}`, bytes);
  await Deno.writeTextFile(`${folder}/points.json`, JSON.stringify(QUARTERS.map(({ point }) => point)));
}
