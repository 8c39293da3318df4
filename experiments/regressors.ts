/**
 * The 3DMM regressors that an experiment chooses between (paper, section 3.1): each says how crops become meshes, and
 * brings the topology that all maps of it are in. `regress` makes the coefficients of both.
 */
import { type Artifact, cast, pick } from "@ftim/pipeline";
import { asset, assetFile, assets, type GatedOptions, isPresent } from "../stages/data/fetch.ts";
import { decaFaces } from "../stages/geometry/deca.ts";
import { flameFace } from "../stages/geometry/flame.ts";
import { meshFaces } from "../stages/geometry/mesh.ts";

/** What finds the geometry of a face, and what all its faces share. */
export interface Regressor {
  readonly name: RegressorName;
  /** What it is beside the paper's, in a sentence for the notes of a table. */
  readonly note: string;
  /** What it wants its crops to be about: the detector's box, or the mesh that it finds in a crop about that. */
  readonly crops: "detection" | "mesh";
  /** Triangles, UVs and landmarks. */
  readonly topology: Artifact<"assets">;
  /** Crops → posed meshes. */
  mesh(crops: Artifact<"aligned">): Artifact<"meshes">;
}

/** The names of the regressors. */
export const REGRESSORS = ["facemesh", "deca"] as const;
/** One of {@link REGRESSORS}. */
export type RegressorName = typeof REGRESSORS[number];

/** The face mesh network's topology. */
export const topology = () => asset("models/facemeshcoords.ts");
/** The face mesh network. */
export const faceMesh = () => assets("models/facemesh.");

/** The face mesh network, and a linear model that is fitted to its meshes. */
export function facemeshRegressor(): Regressor {
  return {
    name: "facemesh",
    note:
      "The 3DMM regressor of all rows but the authors' networks is a face mesh network with a linear model that is " +
      "learned from photographs, in place of the paper's DECA with FLAME.",
    crops: "mesh",
    topology: topology(),
    mesh: (crops) => meshFaces({ crops, network: faceMesh(), topology: topology() }),
  };
}

/** The files of DECA and FLAME, as data.lock names them. */
export const DECA_FILES = {
  encoder: "paper/deca/deca_model.tar",
  flame: "paper/flame/generic_model.pkl",
  landmarks: "paper/deca/landmark_embedding.npy",
  template: "paper/flame/head_template.obj",
  /** Which part of FLAME's chart is the face. */
  mask: "paper/deca/uv_face_eye_mask.png",
  /** DECA's albedo space, without which the regressor's albedo is learned from the photographs. */
  albedo: "paper/bfm/FLAME_albedo_from_BFM.npz",
} as const;
const { albedo: ALBEDO, ...NEEDED } = DECA_FILES;

/** What the regressor `deca` cannot do without, in data.lock's names. */
export const DECA_NEEDS: readonly string[] = Object.values(NEEDED);

/** DECA as a regressor, and what it brings of a morphable model. */
export interface DecaRegressor extends Regressor {
  /** The shape part. */
  readonly shape: Artifact<"flame">;
  /** The whole model, if DECA's albedo space is there. */
  readonly model: Artifact<"model"> | null;
}

/** DECA's encoder and FLAME, from the user's files. What is absent is reported when it is computed. */
export function decaRegressor(options: GatedOptions = {}): DecaRegressor {
  const file = (name: keyof typeof DECA_FILES) => assetFile(DECA_FILES[name], options);
  const [flame, landmarks, template] = [file("flame"), file("landmarks"), file("template")];
  const hasAlbedo = isPresent(ALBEDO, options);
  const shared = flameFace({
    flame,
    landmarks,
    template,
    mask: file("mask"),
    ...(hasAlbedo && { albedo: file("albedo") }),
  });
  const topology = cast(pick(shared, ["topology.safetensors"]), "assets");
  return {
    name: "deca",
    note: "The 3DMM regressor of all rows but the authors' networks is DECA with FLAME, as in the paper" +
      (hasAlbedo ? "." : "; its albedo space was absent, so that light and template albedo are fitted to each face."),
    // As its authors crop what the encoder reads.
    crops: "detection",
    topology,
    shape: pick(shared, ["shape.safetensors"]),
    model: hasAlbedo ? cast(pick(shared, ["model.safetensors"]), "model") : null,
    mesh: (crops) => decaFaces({ crops, encoder: file("encoder"), flame, landmarks, template, topology }),
  };
}
