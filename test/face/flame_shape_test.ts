import assert from "node:assert/strict";
import { flameShape } from "../../face/flame_shape.ts";
import { shapeOf } from "../../face/morphable.ts";
import { procrustes } from "../../face/pose.ts";
import { randomStream } from "./head.ts";

Deno.test("flameShape() gives FLAME's own vertices, in model space", () => {
  const next = randomStream(3);
  const draw = (length: number, scale: number) => Float32Array.from({ length }, () => scale * (next() - 0.5));
  const [count, shapes, expressions] = [40, 3, 2];
  const model = { template: draw(3 * count, 0.2), components: draw(3 * count * (shapes + expressions), 0.02) };
  model.components.fill(0, 3 * count, 6 * count);
  const vertices = Uint32Array.of(7, 3, 39, 7, 0, 12, 25);
  const found = flameShape(model, { vertices, shapes });
  const code = { identity: Float32Array.of(1.5, 2, -0.5), expression: Float32Array.of(-1, 0.25) };
  const all = [...code.identity, ...code.expression];
  const own = Float32Array.from({ length: 3 * vertices.length }, (_, i) => {
    const at = 3 * vertices[Math.floor(i / 3)]! + i % 3;
    return all.reduce((sum, value, k) => sum + value * model.components[k * 3 * count + at]!, model.template[at]!);
  });
  const shape = shapeOf(found, code);
  // Model space is FLAME's but for a shift and a scale that are the same for all codes.
  const { scale, rotation, translation } = procrustes(found.mean, {
    target: Float32Array.from(own, (_, i) => model.template[3 * vertices[Math.floor(i / 3)]! + i % 3]!),
  });
  [1, 0, 0, 0, 1, 0, 0, 0, 1].forEach((value, i) => assert.ok(Math.abs(rotation[i]! - value) < 1e-5));
  own.forEach((value, i) => assert.ok(Math.abs(scale * shape[i]! + translation[i % 3]! - value) < 1e-6, `value ${i}`));
  const spread = found.mean.reduce((sum, value) => sum + value * value, 0) / vertices.length;
  assert.ok(Math.abs(spread - 1) < 1e-5);
  assert.equal(found.identitySigma[1], 0, "a component that moves nothing has no size");
});
