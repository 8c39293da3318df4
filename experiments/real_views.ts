/**
 * Other views of real captures: what each method draws on skin that the first view did not see, beside what a third
 * view of the same capture saw there. It takes any captures with triplets; nothing of cameras or true textures need be
 * known.
 */
import type { Artifact } from "@ftim/pipeline";
import { alignFaces } from "../stages/data/align.ts";
import { choosePhotographs } from "../stages/data/chosen_photographs.ts";
import { faceAngles } from "../stages/data/face_angles.ts";
import { assets } from "../stages/data/fetch.ts";
import { importPhotographs } from "../stages/data/import.ts";
import type { YawBins } from "../stages/data/triplets.ts";
import { videoFrames } from "../stages/data/video_frames.ts";
import { videoTriplets } from "../stages/data/video_triplets.ts";
import { scoreLpips } from "../stages/scores/lpips.ts";
import type { Method } from "../stages/scores/parts/methods.ts";
import { thirdTextures } from "../stages/scores/third_textures.ts";
import { realLpips } from "../stages/tables/real_lpips.ts";
import { realViews } from "../stages/tables/real_views.ts";
import { findFaces, type PreparedFaces, prepareFaces, regressFaces } from "./faces.ts";
import { mapValues } from "./map_values.ts";
import type { Reconstruct } from "./methods.ts";
import { facemeshRegressor } from "./regressors.ts";
import { type ScoringData, viewScorer } from "./scoring.ts";

/** Real photographs of persons from several sides, and which of them belong together. */
export type RealCaptures = Pick<PreparedFaces, "crops" | "meshes" | "unwrapped" | "topology"> & {
  triplets: Artifact<"triplets">;
};

/** A person of the packaged videos; `data.lock` says what they are. */
export type VideoPerson = "cap" | "franck";

/** What is scored. */
export interface RealMethods {
  readonly methods: Readonly<Record<Method, Reconstruct>>;
  /** What nothing was trained for: the first guess, and what is seen, else the template. */
  readonly guess: Reconstruct;
  readonly copy: Reconstruct;
}

/** Frames of the videos of a person with the head turned left, ahead and right, and about one expression. */
export function videoCaptures(
  person: VideoPerson,
  { correction, bins, count }: { correction: Artifact<"correction">; bins: YawBins; count: number },
): RealCaptures {
  const images = importPhotographs(videoFrames({ videos: assets(`video/${person}/`) }));
  const found = findFaces(images, { keep: "largest" });
  const { poses, crops, meshes, topology } = found;
  const triplets = videoTriplets({ poses, crops, meshes }, { bins, count });
  // Of a few hundred frames only those that are compared are unwrapped.
  const detections = choosePhotographs({ detections: found.detections, triplets });
  const chosen = alignFaces({ images, detections });
  const faces = prepareFaces({
    images,
    searched: found.searched,
    detections,
    crops: chosen,
    meshes: facemeshRegressor().mesh(chosen),
    poses,
    angles: faceAngles({ poses }),
    topology,
  }, { correction });
  return { ...faces, triplets };
}

/** The tables of all methods on real captures. `data`, `recognition`: see `ScoringData`. */
export function scoreRealViews(
  views: RealCaptures,
  { methods, guess, copy, model, data, recognition }:
    & RealMethods
    & Pick<ScoringData, "model" | "data" | "recognition">,
): { realViews: Artifact<"real_views">; realLpips: Artifact<"real_lpips"> } {
  const { crops, unwrapped } = views;
  const faces = regressFaces(views, { model });
  const { third, novel, perceptual } = viewScorer(views, { third: true, data, recognition });
  const copies = copy(faces);
  const drawn = {
    ...mapValues(methods, (method) => method(faces)),
    guess: guess(faces),
    copy: copies,
    oracle: thirdTextures({ seen: third!, copies }),
  };
  return {
    realViews: realViews({ novel: mapValues(drawn, novel), crops }),
    realLpips: realLpips({
      scores: mapValues(drawn, (textures) => scoreLpips({ ...perceptual(textures), crops, unwrapped })),
    }),
  };
}
