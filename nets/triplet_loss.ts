/**
 * One training step's loss (paper, sections 3.2 and 3.3). The three views of a triplet are completed, one of the three
 * albedos is picked at random, and all three views are rendered with it and compared with the photographs.
 *
 * By default all three views are rendered in the light of the view that was picked. The paper renders each in its own
 * light, which `light: "own"` does. The lamps of a capture stand still, so what one view makes of the light must hold
 * in the others; in its own light a view hides how wrong it is about the half of the face that it does not show.
 *
 * The symmetry loss looks at texels that were not seen, where the paper's mask is the visible region, and what the
 * regularisation does is ours. docs/departures.md lists all that differs from the paper.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { weightedL1 } from "@ftim/gpu/ops/weighted-l1";
import { applySparse } from "@ftim/gpu/sparse";
import { applySparseCpu, type SparseMatrix } from "@ftim/gpu/sparse-cpu";
import type { Tfjs } from "@ftim/gpu/backend";
import { type FaceMaps, type FtimInput, ftimInput, stackMaps } from "./ftim_input.ts";
import { removeLighting } from "./ftim.ts";
import { resample } from "./resample.ts";
import { type Box, interpolationMatrix } from "./resample_taps.ts";
import type { TextureModel } from "./texture_model.ts";
import { idMrf } from "./id_mrf.ts";
import { albedoLoss, identityLoss, type LossWeights, symmetryLoss } from "./losses.ts";

/** One view of a triplet. */
export interface TrainingView extends FaceMaps {
  /** The aligned crop [P·3], 0..1. */
  photograph: Float32Array;
  /** Rendering of a UV texture into the crop: P×T. */
  operator: SparseMatrix;
  /** Share of each pixel that the mesh covers [P]. */
  coverage: Float32Array;
  /** The square of the crop that the identity network looks at. */
  face: Box;
}

/** What the network makes of some faces. */
export interface SeenFaces {
  /** [B,N] */
  descriptor: tfjs.Tensor2D;
  /** [B,h,w,C] of each layer. */
  layers: readonly tfjs.Tensor4D[];
}

/** The network that the identity loss and the ID-MRF loss look through, in one pass for both. */
export interface IdentityNetwork {
  /** Side of its input in pixels. */
  side: number;
  /** Part of each layer in the ID-MRF loss, in the order in which `features` gives them. */
  layerWeights: readonly number[];
  /** Faces [B,side,side,3] → descriptors and layers. */
  features(faces: tfjs.Tensor4D): SeenFaces;
}

/** What the network sees in photographs, square crops of one size. */
export function seenIn(
  tf: Tfjs,
  views: readonly Pick<TrainingView, "photograph" | "face">[],
  network: IdentityNetwork,
): SeenFaces {
  const { side } = network;
  const faces = views.map(({ photograph, face }) => {
    const crop = Math.sqrt(photograph.length / 3);
    return resample(tf, tf.tensor4d(photograph, [1, crop, crop, 3]), { box: face, width: side, height: side });
  });
  return network.features(tf.concat(faces));
}

/** The light of renders: that of the view whose albedo was picked, or each view's own, as in the paper. */
export type RenderLight = "picked" | "own";

/** What the loss is made with. */
export interface TripletLossOptions {
  /** The three views. */
  views: readonly TrainingView[];
  /** Index of the view whose albedo renders all. */
  chosen: number;
  weights: LossWeights;
  /** Which light the views are rendered in. */
  light: RenderLight;
  /** 1 inside the UV chart [T]. */
  chart: Float32Array;
  /** The network and how its albedo is lit. */
  model: Pick<TextureModel, "light"> & { albedo(input: FtimInput): tfjs.Tensor4D };
  identity: IdentityNetwork;
  /** What it sees in the three photographs; may be absent if neither the identity nor the ID-MRF loss has a weight. */
  known?: SeenFaces | undefined;
}

/** The terms of the loss, unweighted, each a scalar on the device. */
export type LossTerms = Partial<Record<keyof LossWeights, tfjs.Scalar>>;

/**
 * The loss of one triplet.
 *
 * @returns the terms whose weight is not zero
 */
export function tripletLoss(
  tf: Tfjs,
  { views, chosen, weights, light, chart, model, identity, known }: TripletLossOptions,
): LossTerms {
  const { shading, ...input } = ftimInput(tf, views);
  const side = input.visibility.shape[1];
  const crop = Math.sqrt(views[0]!.coverage.length);
  const albedos = model.albedo(input);
  const one = (x: tfjs.Tensor4D, view: number) => tf.slice(x, [view, 0, 0, 0], [1, -1, -1, -1]) as tfjs.Tensor4D;
  const [albedo, templateAlbedo] = [one(albedos, chosen), one(input.templateAlbedo, chosen)];
  const litAs = (view: number) => {
    const lit = model.light({ albedo, templateAlbedo, shading: one(shading, view) });
    return tf.reshape(lit, [side * side, 3]) as tfjs.Tensor2D;
  };
  const picked = light === "picked" ? litAs(chosen) : undefined;
  const rendered = views.map(({ operator }, v) =>
    tf.reshape(applySparse(tf, operator, picked ?? litAs(v)), [1, crop, crop, 3]) as tfjs.Tensor4D
  );
  const inside = tf.tensor3d(chart, [side, side, 1]);

  const terms: LossTerms = {};
  if (weights.photometric > 0) {
    const photographs = stackMaps(tf, views.map(({ photograph }) => photograph), [crop, crop, 3]);
    const coverage = stackMaps(tf, views.map((view) => view.coverage), [crop, crop, 1]);
    terms.photometric = weightedL1(tf, tf.concat(rendered), { b: tf.mul(photographs, coverage), weight: coverage });
  }
  if (weights.albedo > 0) terms.albedo = albedoLoss(tf, albedos, inside);
  if (weights.identity > 0 || weights.mrf > 0) {
    if (known === undefined) throw new TypeError("Cannot compare faces: nothing is known of the photographs");
    Object.assign(terms, perceptualTerms(tf, rendered, { views, weights, identity, known }));
  }
  if (weights.symmetry > 0) {
    const unseen = tf.mul(tf.sub(1, input.visibility), inside);
    terms.symmetry = symmetryLoss(tf, { albedo: albedos, flipped: tf.reverse(albedos, 2), unseen });
  }
  if (weights.regularisation > 0) {
    // What no view of the triplet shows is drawn to the first guess: nothing else says what should be there, and the
    // template is farther from it.
    terms.regularisation = weightedL1(tf, albedos, {
      b: removeLighting(tf, { ...input, texture: input.guess }),
      weight: tf.tensor3d(hidden(views, chart), [side, side, 1]),
    });
  }
  return terms;
}

/**
 * Identity and ID-MRF loss. The network sees the render over the photograph, since it learned from whole faces. Only
 * positions that the mesh covers take part in the ID-MRF loss: the face region of the paper, without the border that a
 * mask on the images would draw.
 */
function perceptualTerms(
  tf: Tfjs,
  rendered: readonly tfjs.Tensor4D[],
  { views, weights, identity, known }: Pick<TripletLossOptions, "views" | "weights" | "identity"> & {
    known: SeenFaces;
  },
): LossTerms {
  const crop = Math.sqrt(views[0]!.coverage.length);
  const faces = views.map((view, v) => {
    const overlay = tf.add(rendered[v]!, tf.tensor4d(background(view), [1, crop, crop, 3])) as tfjs.Tensor4D;
    return resample(tf, overlay, { box: view.face, width: identity.side, height: identity.side });
  });
  const { descriptor, layers } = identity.features(tf.concat(faces));
  const terms: LossTerms = {};
  if (weights.identity > 0) {
    terms.identity = identityLoss(tf, descriptor, known.descriptor);
  }
  if (weights.mrf > 0) {
    terms.mrf = idMrf(
      tf,
      layers.map((generated, i) => {
        const [, height, width] = generated.shape;
        const inside = views.flatMap(({ coverage, face }) => coveredPositions(coverage, { face, height, width }));
        return { generated, target: known.layers[i]!, inside, weight: identity.layerWeights[i]! };
      }),
    );
  }
  return terms;
}

/** Which positions of a layer look at a place that the mesh covers by half at least, [height·width]. */
function coveredPositions(
  coverage: Float32Array,
  { face, height, width }: { face: Box; height: number; width: number },
): boolean[] {
  const size = Math.sqrt(coverage.length);
  const down = interpolationMatrix({ size, start: face.top, length: face.height }, { count: height });
  const across = interpolationMatrix({ size, start: face.left, length: face.width }, { count: width });
  const rows = applySparseCpu(down, coverage);
  return Array.from(
    { length: height },
    (_, y) => [...applySparseCpu(across, rows.subarray(y * size, (y + 1) * size))].map((share) => share >= 0.5),
  ).flat();
}

/** What no view shows of the chart, [S·S] in 0..1. */
function hidden(views: readonly TrainingView[], chart: Float32Array): Float32Array {
  const left = new Float32Array(chart.length);
  for (let i = 0; i < chart.length; i++) {
    let product = chart[i]!;
    for (let v = 0; v < views.length; v++) product *= 1 - views[v]!.visibility[i]!;
    left[i] = product;
  }
  return left;
}

/** What the mesh leaves of a photograph, [P·3]. */
function background({ photograph, coverage }: TrainingView): Float32Array {
  const left = new Float32Array(photograph.length);
  for (let pixel = 0; pixel < coverage.length; pixel++) {
    const covered = coverage[pixel]!;
    if (covered === 1) continue;
    for (let i = 3 * pixel; i < 3 * pixel + 3; i++) left[i] = photograph[i]! * (1 - covered);
  }
  return left;
}

/** The weighted sum of the terms. */
export function totalLoss(tf: Tfjs, terms: LossTerms, weights: LossWeights): tfjs.Scalar {
  const parts = Object.entries(terms).map(([name, term]) => tf.mul(term, weights[name as keyof LossWeights]));
  return tf.addN(parts) as tfjs.Scalar;
}
