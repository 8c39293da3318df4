/** A face as a linear function of its albedo, which is what `compare_deng` refines. */
import type { RgbImage } from "../../../face/image.ts";
import { albedoOf, type MorphableModel } from "../../../face/morphable.ts";
import { applyOperatorCpu, renderOperator } from "../../../face/render.ts";
import type { Topology } from "../../../face/topology.ts";
import type { LinearFace } from "../../../nets/linear_albedo_fit.ts";
import { meshSquare } from "../../../nets/mesh_square.ts";
import { overlay } from "../../faces/reconstruction.ts";

/**
 * The render of a face as a linear function of its albedo's coefficients.
 *
 * @param crop the photograph, square
 * @param options.vertices posed, crop pixels [3·V]; `shading` [T·3]; `code` [K] in standard deviations, where the fit
 *   starts and against which `huber` (a colour difference) judges what is no skin
 */
export function linearFace(
  crop: RgbImage,
  { vertices, topology, shading, morphable, code, huber }: {
    vertices: Float32Array;
    topology: Topology;
    shading: Float32Array;
    morphable: MorphableModel;
    code: Float32Array;
    huber: number;
  },
): LinearFace {
  const { width, height } = crop;
  const { albedoMean, albedoBasis, albedoSigma } = morphable;
  const size = Math.sqrt(albedoMean.length / 3);
  const operator = renderOperator(vertices, { topology, size, width, height });
  const { coverage } = operator;
  const { data: base } = overlay(crop, { operator, texture: albedoMean.map((value, i) => value * shading[i]!) });
  const parts = Array.from(albedoSigma, (sigma, k) => {
    const offset = k * albedoMean.length;
    return applyOperatorCpu(operator, albedoMean.map((_, i) => sigma * albedoBasis[offset + i]! * shading[i]!));
  });
  const start = applyOperatorCpu(operator, albedoOf(morphable, code).map((value, i) => value * shading[i]!));
  const weight = coverage.map((covered, pixel) => {
    let error = 0;
    for (let c = 3 * pixel; c < 3 * pixel + 3; c++) error += Math.abs(start[c]! - crop.data[c]!) / 3;
    return covered * Math.min(1, huber / Math.max(error, 1e-6));
  });
  return { base, parts, photograph: crop.data, weight, face: meshSquare(vertices, 1), code };
}
