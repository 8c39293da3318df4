/** What became of photographs. */
import type { Head } from "../../stages/methods/head.ts";
import type { ViewRecord } from "./view_record.ts";

/** A reconstructed face. */
export interface ReconstructedFace extends Head {
  /** Holds the face's files, of which `face.json` names all and says the rest of what is known. */
  readonly folder: string;
}

/** A reconstructed photograph. */
export interface Reconstruction {
  /** What the user called it: a path, or what stands for standard input. */
  readonly photo: string;
  /** Where its files are. */
  readonly folder: string;
  /** From left to right. */
  readonly faces: readonly ReconstructedFace[];
  /** Paths in the folder. */
  readonly files: readonly string[];
  /** What a person should know of it. */
  readonly notes: readonly string[];
  /** The photographs of one person that its face was made of; absent where it is of one photograph. */
  readonly views?: readonly ViewRecord[];
}

/** A photograph without a result. */
export interface Unreconstructed {
  /** What the user called it: a path, or what stands for standard input. */
  readonly photo: string;
  /** Why, and what to do about it. */
  readonly reason: string;
}

/** What became of some photographs. */
export interface Reconstructions {
  readonly done: readonly Reconstruction[];
  readonly failed: readonly Unreconstructed[];
  /** The page of all results; null where there is one photograph. */
  readonly index: string | null;
}
