/**
 * Stage `upright`: photographs whose faces lie on their side or on their head, without a word of it in the file, are
 * turned by quarter turns until the face mesh network finds an upright face. A camera that was held askew, a scan or a
 * screenshot makes such files, and an upright network's mesh of them is wrong with confidence.
 *
 * The network's own score decides: of 40 portraits it is highest, to the last bits of a float, for the right quarter
 * turn. Where two turns score the same, as for a head tilted by 45°, those whose meshes are of one face are believed,
 * and of them the one that leaves the smaller tilt is right. Of a face that is hidden or cut off no turn's score is so
 * high; then the photograph stays as it is, unless another turn is plainly better.
 *
 * Large photographs are looked at reduced. Small faces in them are looked for only where that shows none.
 */
import { z } from "zod";
import { defineStage } from "@ftim/pipeline";
import type { BytePixels } from "../../face/pixels.ts";
import { quarterTurned } from "../../face/quarter_turn.ts";
import type { Detector } from "../../nets/detector.ts";
import type { FaceMesh } from "../../nets/facemesh.ts";
import type { Square } from "../../nets/facemesh_tracking.ts";
import type { ImportedImage } from "./import.ts";

/** What the networks say of a photograph that was turned. */
export interface Trial {
  /** Quarter turns clockwise. */
  readonly turns: number;
  /** The mesh network's best score of a face, 0..1; 0 where no face was found. */
  readonly score: number;
  /** By how much that face is tilted, in degrees, clockwise. */
  readonly tilt: number;
}

/** Scores this near to the best count as equal: the network's scores of right meshes end within it of 1. */
const EQUAL = 1e-6;
/** A tilt up to which a face counts as upright at once, in degrees. */
const UPRIGHT = 25;
/**
 * Tilts of one face in two trials differ by no more beyond the turns, in degrees: one of the meshes is wrong else. The
 * mesh of a face that is tilted by 60° says some 45°.
 */
const ALIKE = 22;
/** Where no turn gives a sure mesh, another one than the photograph's own must be so many times as sure. */
const MUCH = 4;
/** Least score of a detected face. */
const FACE = 0.6;
/** Least score of a mesh that counts as a face, as in the stage that makes meshes. */
const MESH = 0.5;
/** Side of the square around a detected face, over the box's. */
const MARGIN = 1.5;

/** Photographs are tried with this long side, in pixels. */
const TRIED_SIDE = 2048;

/** Images → the same, turned; those that need no turn are passed on byte for byte. */
export const turnUpright = defineStage({
  name: "upright",
  module: import.meta.url,
  inputs: { images: "images", detector: "assets", mesh: "assets" },
  output: "images",
  each: ["images"],
  batch: 4,
  params: z.strictObject({
    /** Width of the smallest faces that are looked for, in pixels; null: those that the detector sees at once. */
    smallest: z.number().positive().nullable().default(null),
  }),
  determinism: { atol: 1 / 255, rtol: 0 },
  computes: {
    webgpu: "cutting out; the face mesh network",
    onnxruntime: "the face detector (on a software adapter by its CPU provider, which is faster there)",
    cpu: "quarter turns: file formats",
  },
  resources: { gpu: true },
  open: async ({ inputs }) => {
    const { openDetector } = await import("../../nets/detector.ts");
    const { openFaceMesh } = await import("../../nets/facemesh.ts");
    const { readGraphModel } = await import("../faces/graph_models.ts");
    const detector = await openDetector(await inputs.detector.bytes(inputs.detector.paths[0]!));
    return { detector, mesh: await openFaceMesh(await readGraphModel(inputs.mesh)) };
  },
  close: async ({ detector, mesh }) => {
    mesh.dispose();
    await detector.dispose();
  },
  run: async ({ items, params: { smallest }, resource }) => {
    const { turnsOfSmallFaces } = await import("./parts/small_face_turns.ts");
    const { groupsByPixels } = await import("../faces/by_pixels.ts");
    const { encodePng, readPixels } = await import("../faces/photograph.ts");
    const { reducedPixels } = await import("../faces/reduced_pixels.ts");
    const work = async (group: typeof items) => {
      const photographs = await Promise.all(group.map(({ key, inputs }) => readPixels(inputs.images, `${key}.png`)));
      const reduced = await Promise.all(photographs.map((image) => reducedPixels(image, TRIED_SIDE)));
      const allTurns = await turnsOf(reduced, resource);
      if (smallest !== null) {
        for (const [i, image] of photographs.entries()) {
          allTurns[i] ??= await turnsOfSmallFaces(image, { ...resource, smallest });
        }
      }
      await Promise.all(group.map(async ({ key, inputs: { images }, out }, i) => {
        const about = await images.json<ImportedImage>(`${key}.json`);
        const turns = allTurns[i] ?? 0;
        if (turns === 0) {
          out.write(`${key}.png`, await images.bytes(`${key}.png`));
          out.json(`${key}.json`, about);
          return;
        }
        const turned = quarterTurned(photographs[i]!, turns);
        const { width, height } = turned;
        const original = turns % 2 === 0
          ? about.original
          : { width: about.original.height, height: about.original.width };
        const note = `turned by ${90 * turns}° clockwise, so that faces stand upright`;
        out.write(`${key}.png`, await encodePng(turned));
        out.json(`${key}.json`, { ...about, width, height, original, notes: [...about.notes, note] });
      }));
    };
    for (const group of await groupsByPixels(items)) await work(group);
  },
});

interface Networks {
  readonly detector: Detector;
  readonly mesh: FaceMesh;
}

/** The quarter turns clockwise after which the faces of each picture stand upright; null where no turn shows a face. */
async function turnsOf(images: readonly BytePixels[], networks: Networks): Promise<(number | null)[]> {
  const straight = await tryTurn(images, 0, networks);
  // no other turn can score higher
  const settled = ({ score, tilt }: Trial) => score >= 1 - EQUAL && Math.abs(tilt) <= UPRIGHT;
  const open = images.filter((_, i) => !settled(straight[i]!));
  const others: Trial[][] = [];
  for (const turns of open.length === 0 ? [] : [1, 2, 3]) others.push(await tryTurn(open, turns, networks));
  const tried = straight.map((trial) => [trial, ...(settled(trial) ? [] : others.map((trials) => trials.shift()!))]);
  const none = (trials: readonly Trial[]) => trials.every(({ score }) => score < MESH);
  return tried.map((trials) => settled(trials[0]!) ? 0 : none(trials) ? null : bestTurn(trials));
}

/** Which of some trials stands upright: their `turns`; 0 if none shows a face. */
export function bestTurn(trials: readonly Trial[]): number {
  const top = Math.max(...trials.map(({ score }) => score));
  if (!(top > 0)) return 0;
  const straight = trials.find(({ turns, tilt, score }) => turns === 0 && Math.abs(tilt) <= UPRIGHT && score >= MESH);
  if (straight !== undefined && top < 1 - EQUAL && 1 - straight.score <= MUCH * (1 - top)) return 0;
  const alike = (one: Trial, other: Trial) => Math.abs(tiltBetween(one, other)) <= ALIKE;
  const surest = trials.filter(({ score }) => score === top);
  const equals = trials.filter((trial) => trial.score >= top - EQUAL && surest.some((one) => alike(one, trial)));
  const known = equals.map((trial) => {
    const upright = trial.turns === 0 && Math.abs(trial.tilt) <= UPRIGHT;
    const agreeing = equals.filter((one) => one !== trial && alike(one, trial)).length;
    // alone, a face on its head looks most like one that is not
    return { ...trial, rank: upright ? 0 : agreeing > 0 ? 1 : trial.turns === 2 ? 3 : 2, agreeing };
  });
  const [best] = known.toSorted((a, b) =>
    a.rank - b.rank || b.agreeing - a.agreeing || Math.abs(a.tilt) - Math.abs(b.tilt)
  );
  return best?.turns ?? 0;
}

/** What lies between the tilts of two trials beyond their turns, in degrees: nothing where both found the same face. */
function tiltBetween(one: Trial, other: Trial): number {
  const between = other.tilt - one.tilt - 90 * (other.turns - one.turns);
  return between - 360 * Math.round(between / 360);
}

/** What the networks say of pictures after so many turns. */
async function tryTurn(
  images: readonly BytePixels[],
  turns: number,
  { detector, mesh }: Networks,
): Promise<Trial[]> {
  const { squareAround, trackMeshes } = await import("../../nets/facemesh_tracking.ts");
  const faces = (await Promise.all(images.map(async (upright) => {
    const image = quarterTurned(upright, turns);
    const boxes = await detector.detect(image, { minScore: FACE });
    return boxes.map((box) => ({ upright, image, box }));
  }))).flat();
  const starts = faces.map(({ box: { left, top, width, height } }): Square => {
    return { x: left + width / 2, y: top + height / 2, side: MARGIN * (width + height) / 2, angle: 0 };
  });
  const meshes = await trackMeshes(mesh, faces.map(({ image }) => image), { starts });
  return images.map((image) => {
    const found = meshes.filter((_, i) => faces[i]!.upright === image);
    const [best] = found.toSorted((a, b) => b.score - a.score);
    if (best === undefined) return { turns, score: 0, tilt: 0 };
    return { turns, score: best.score, tilt: squareAround(best.vertices).angle * 180 / Math.PI };
  });
}
