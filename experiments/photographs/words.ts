/** What `reconstruct` and `score` say, in words for who has photographs and knows nothing of stages. */
import { type PipelineEvent, StageError } from "@ftim/pipeline";
import type { Head } from "../../stages/methods/head.ts";
import type { ViewRecord } from "./view_record.ts";

/** Faces narrower than this, in photograph pixels, hold less than the texture could show. */
const SMALL = 100;

/** What a stage does, to be said while it does so. */
const ACTIVITIES: Readonly<Record<string, string>> = {
  survey: "opening the photographs",
  import: "opening the photographs",
  fetch: "getting the networks",
  unpack: "opening the networks",
  upright: "turning the photographs upright",
  detect: "looking for faces",
  align: "cutting out the faces",
  outline: "finding the shape of the faces",
  mesh: "finding the shape of the faces",
  pose: "finding the pose of the faces",
  face_angles: "finding the pose of the faces",
  correct_mesh: "finding the shape of the faces",
  unwrap: "reading the textures",
  regress: "finding the light",
  seen_skin: "looking for what covers the faces",
  guess: "completing the textures",
  reconstruct: "completing the textures",
  reconstruct_printed: "completing the textures",
  without_ftim: "completing the textures",
  compare_deca: "fitting the other methods",
  compare_chen: "fitting the other methods",
  compare_deng: "fitting the other methods",
  compare_tran: "fitting the other methods",
  triplets: "choosing triplets",
  choose_photographs: "choosing triplets",
  overlay: "reading the overlays",
  embed: "scoring",
  metrics: "scoring",
  revealed: "scoring",
  novel_views: "scoring",
  score_table: "writing the tables",
  view_table: "writing the tables",
  figure3: "drawing the figure",
  fit_morphable: "learning the face model",
  synthesize: "making heads to train on",
  calibrate: "learning the error of the meshes",
  train: "training",
  train_printed: "training",
  train_tran: "training",
  pack: "keeping the networks",
  fuse: "joining the photographs",
  enlarge: "reading the textures at full size",
  head: "writing the models",
  paste: "putting the faces back",
};

/** What is being done, by the stage that an event names. */
export function activityOf(stage: string): string {
  return ACTIVITIES[stage.replace(/\W.*$/s, "")] ?? "computing";
}

/** Why something failed, without the names of the parts that it failed in. */
export function plainReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (!(error instanceof StageError)) return withoutStages(text);
  return `it failed while ${activityOf(error.stage)}: ${withoutStages(text)}`;
}

/** What a warning or another event has to say to a person; null: nothing. */
export function plainEvent(event: PipelineEvent): string | null {
  switch (event.type) {
    case "warning":
      return withoutStages(event.message);
    case "wait":
      return "gpu" in event
        ? "another run has the GPU; waiting for it"
        : "another run is computing the same; waiting for it";
    case "retry":
      return `${activityOf(event.stage)} failed (${withoutStages(event.message)}); trying again`;
    default:
      return null;
  }
}

function withoutStages(text: string): string {
  return text.replaceAll(/stage "[^"]*"( \(item [^)]*\))?: /g, "").split("\n")[0]!;
}

/** One face in one line. */
export function describeFace(head: Head, { of, folder }: { readonly of: number; readonly folder: string }): string {
  const name = of === 1 ? "The face" : `Face ${head.face} of ${of}, counted from 0 from the left`;
  return `${name} (${faceNotes(head).join(", ")}): ${folder}`;
}

/** What a person should know of a reconstructed face. */
export function faceNotes({ box, angles, seen, cutOff, colourless }: Head): string[] {
  const notes = [`yaw ${Math.round(angles.yaw)}°`, `${Math.round(100 * seen)}% of its texture seen`];
  if (box.width < SMALL) notes.push(`only ${Math.round(box.width)} pixels wide, so its texture is soft`);
  if (cutOff.length > 0) notes.push(`cut off at the photograph's ${cutOff.join(" and ")}, so that part is guessed`);
  if (colourless) notes.push("without colour, so the colours of its albedo and of what is completed are guessed");
  return notes;
}

/** One of several photographs of a person in one line. */
export function describeView({ photo, yaw, share }: ViewRecord): string {
  return `${photo} (yaw ${Math.round(yaw)}°) gives ${Math.round(100 * share)}% of what was seen`;
}

/** A spot that the detector took for a face and that is left out. */
export function describeLeftOut(
  { left, top, width, height }: { left: number; top: number; width: number; height: number },
  why: string,
): string {
  const size = `${Math.round(width)}×${Math.round(height)} pixels`;
  return `Left out: what looks like a face (${size}, at ${Math.round(left)}, ${Math.round(top)}) ${why}`;
}

/** "3 photographs". */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
