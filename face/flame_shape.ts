/** FLAME's shape and expression as the shape part of a morphable model, of a part of the head. */
import type { FlameModel } from "./flame_model.ts";
import type { ShapeModel } from "./morphable.ts";

/**
 * The shape model of some vertices, in model space: centred, of unit size, without the pose.
 *
 * @param options.vertices which vertices of the head, in their order
 * @param options.shapes how many of the components are of shape; the rest are of expression
 */
export function flameShape(
  { template, components }: Pick<FlameModel, "template" | "components">,
  { vertices, shapes }: { vertices: Uint32Array; shapes: number },
): ShapeModel {
  const gathered = (values: Float32Array, first: number) =>
    Float32Array.from({ length: 3 * vertices.length }, (_, i) => values[first + 3 * vertices[i / 3 | 0]! + i % 3]!);
  const mean = gathered(template, 0);
  const centre = [0, 1, 2].map((axis) => {
    let sum = 0;
    for (let i = axis; i < mean.length; i += 3) sum += mean[i]!;
    return sum / vertices.length;
  });
  mean.forEach((value, i) => mean[i] = value - centre[i % 3]!);
  const unit = norm(mean) / Math.sqrt(vertices.length);
  const part = (first: number, end: number) => {
    const rows = Array.from({ length: end - first }, (_, k) => gathered(components, (first + k) * template.length));
    const sizes = rows.map(norm);
    const basis = new Float32Array((end - first) * mean.length);
    for (const [k, row] of rows.entries()) {
      basis.set(sizes[k]! > 0 ? row.map((value) => value / sizes[k]!) : row, k * mean.length);
    }
    return { basis, sigma: Float32Array.from(sizes, (size) => size / unit) };
  };
  const [identity, expression] = [part(0, shapes), part(shapes, components.length / template.length)];
  return {
    mean: mean.map((value) => value / unit),
    identityBasis: identity.basis,
    identitySigma: identity.sigma,
    expressionBasis: expression.basis,
    expressionSigma: expression.sigma,
  };
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
