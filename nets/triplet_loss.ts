/**
 * One training step's loss (paper, sections 3.2 and 3.3). The three views of a triplet are completed, one of the three
 * albedos is picked at random, and all three views are rendered with it and compared with the photographs.
 *
 * By default all three views are rendered in the light of the view that was picked. The paper renders each in its own
 * light, which `light: "own"` does. The lamps of a capture stand still, so what one view makes of the light must hold
 * in the others; in its own light a view hides how wrong it is about the half of the face that it does not show.
 *
 * Of a made head the photometric, identity and ID-MRF losses count only what the portrait behind it showed
 * (`DeviceTriplet.trusted`): the rest of its skin was mirrored, and would teach to mirror.
 *
 * What the regularisation does is ours. docs/departures.md lists all that differs from the paper.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { weightedL1 } from "@ftim/gpu/ops/weighted-l1";
import type { Tfjs } from "@ftim/gpu/backend";
import type { DeviceTriplet } from "./device_triplet.ts";
import type { FtimInput } from "./ftim_input.ts";
import type { TextureModel } from "./texture_model.ts";
import { idMrf } from "./id_mrf.ts";
import type { IdentityNetwork, KnownFaces } from "./known_faces.ts";
import { albedoLoss, identityLoss, type LossWeights, symmetryLoss, type SymmetryMask } from "./losses.ts";
import { removeLighting } from "./subtracted_light.ts";

/** The light of renders: that of the view whose albedo was picked, or each view's own, as in the paper. */
export type RenderLight = "picked" | "own";

/**
 * What the albedo is drawn to where no view of the triplet shows anything: the first guess, or the template, which is
 * all that FTIM as printed knows there.
 */
export type Prior = "guess" | "template";

/** What is decided beside the weights. */
export interface LossChoices {
  /** Which light the views are rendered in. */
  light: RenderLight;
  /** The mask of the symmetry loss. */
  symmetry: SymmetryMask;
  /** What the regularisation draws to. */
  prior: Prior;
}

/** What the loss is made with. */
export interface TripletLossOptions extends LossChoices {
  /** The three views. */
  triplet: DeviceTriplet;
  /** Index of the view whose albedo renders all. */
  chosen: number;
  weights: LossWeights;
  /** 1 inside the UV chart [S,S,1]. */
  chart: tfjs.Tensor3D;
  /** The network and how its albedo is lit. */
  model: Pick<TextureModel, "light"> & { albedo(input: FtimInput): tfjs.Tensor4D };
  identity: IdentityNetwork;
  /** What it sees in the three photographs; may be absent if neither the identity nor the ID-MRF loss has a weight. */
  known?: KnownFaces | undefined;
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
  { triplet, chosen, weights, light, symmetry, prior, chart, model, identity, known }: TripletLossOptions,
): LossTerms {
  const { input: { shading, ...input }, photographs, coverage, trusted } = triplet;
  const [count] = photographs.shape;
  const albedos = model.albedo(input);
  const one = (x: tfjs.Tensor4D, view: number) => tf.slice(x, [view, 0, 0, 0], [1, -1, -1, -1]) as tfjs.Tensor4D;
  const [albedo, templateAlbedo] = [one(albedos, chosen), one(input.templateAlbedo, chosen)];
  const litAs = (view: number) => model.light({ albedo, templateAlbedo, shading: one(shading, view) });
  const picked = light === "picked" ? litAs(chosen) : undefined;
  const rendered = triplet.render(tf.concat(Array.from({ length: count }, (_, view) => picked ?? litAs(view))));

  const terms: LossTerms = {};
  if (weights.photometric > 0) {
    const weight = trusted === undefined ? coverage : tf.mul(coverage, trusted);
    terms.photometric = weightedL1(tf, rendered, { b: tf.mul(photographs, coverage), weight });
  }
  if (weights.albedo > 0) terms.albedo = albedoLoss(tf, albedos, chart);
  if (weights.identity > 0 || weights.mrf > 0) {
    if (known === undefined) throw new TypeError("Cannot compare faces: nothing is known of the photographs");
    Object.assign(terms, perceptualTerms(tf, rendered, { triplet, weights, identity, known }));
  }
  if (weights.symmetry > 0) {
    terms.symmetry = symmetryLoss(tf, albedos, { visibility: input.visibility, chart, mask: symmetry });
  }
  if (weights.regularisation > 0) {
    // Nothing else says what should be where no view of the triplet shows anything. The template is farther from it
    // than the first guess.
    const hidden = tf.mul(chart, hiddenShare(tf, input.visibility));
    terms.regularisation = weightedL1(tf, albedos, {
      b: prior === "template" ? input.templateAlbedo : removeLighting(tf, { ...input, texture: input.guess }),
      weight: hidden,
    });
  }
  return terms;
}

/**
 * How much no view shows a texel: the product of 1 − visibility over the views, [B,S,S,1] → [1,S,S,1]. tfjs's own
 * product takes a workgroup a texel, which is a twentieth of a training step on a software adapter; of three views this
 * one multiplies in the same order, so that it has the same bits.
 */
function hiddenShare(tf: Tfjs, visibility: tfjs.Tensor4D): tfjs.Tensor4D {
  const [count] = visibility.shape;
  const unseen = tf.sub(1, visibility);
  const shares = Array.from(
    { length: count },
    (_, i) => tf.slice(unseen, [(count - i) % count, 0, 0, 0], [1, -1, -1, -1]),
  );
  return shares.reduce((product, share) => tf.mul(product, share)) as tfjs.Tensor4D;
}

/**
 * Identity and ID-MRF loss. The network sees the render over the photograph, since it learned from whole faces. Only
 * positions that the mesh covers take part in the ID-MRF loss: the face region of the paper, without the border that a
 * mask on the images would draw.
 */
function perceptualTerms(
  tf: Tfjs,
  rendered: tfjs.Tensor4D,
  { triplet: { photographs, coverage, trusted, cut }, weights, identity, known }:
    & Pick<TripletLossOptions, "triplet" | "weights" | "identity">
    & { known: KnownFaces },
): LossTerms {
  const [shown, covered] = trusted === undefined
    ? [rendered, coverage]
    : [tf.mul(rendered, trusted), tf.mul(coverage, trusted)];
  const overlays = tf.add(shown, tf.mul(photographs, tf.sub(1, covered))) as tfjs.Tensor4D;
  const { descriptor, layers } = identity.features(cut(overlays));
  const terms: LossTerms = {};
  if (weights.identity > 0) {
    terms.identity = identityLoss(tf, descriptor, known.descriptor);
  }
  if (weights.mrf > 0) {
    terms.mrf = idMrf(
      tf,
      layers.map((generated, i) => ({
        generated,
        target: known.layers[i]!,
        inside: known.inside[i]!,
        weight: identity.layerWeights[i]!,
      })),
    );
  }
  return terms;
}

/** The weighted sum of the terms. */
export function totalLoss(tf: Tfjs, terms: LossTerms, weights: LossWeights): tfjs.Scalar {
  const parts = Object.entries(terms).map(([name, term]) => tf.mul(term, weights[name as keyof LossWeights]));
  return tf.addN(parts) as tfjs.Scalar;
}
