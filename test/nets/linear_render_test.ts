import assert from "node:assert/strict";
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { linearGradient, renderLinear } from "../../nets/linear_render.ts";
import { maxDifference, randomStream } from "../face/head.ts";
import { dispose, type LinearFace, upload } from "./linear_faces_lab.ts";

const tf = await openTfjs();
const side = 21;
const next = randomStream(6);
const noise = (length: number, scale: number) => Float32Array.from({ length }, () => scale * (next() - 0.5));

/** A face of noise; a third of its pixels have no weight. */
function face(components: number): LinearFace {
  return {
    base: noise(3 * side * side, 0.5),
    parts: Array.from({ length: components }, () => noise(3 * side * side, 0.2)),
    photograph: noise(3 * side * side, 0.5),
    weight: Float32Array.from({ length: side * side }, (_, i) => i % 3 === 0 ? 0 : next()),
    face: { left: 0, top: 0, width: side, height: side },
    code: noise(components, 2),
  };
}

Deno.test("renderLinear() and linearGradient() are what tfjs makes of the same terms", async () => {
  for (const components of [1, 4, 6]) {
    const faces = Array.from({ length: 5 }, () => face(components));
    const { codes, pictures, photograph } = upload(tf, faces, 2);
    const slope = tf.tensor4d(noise(5 * 3 * side * side, 0.01), [5, side, side, 3]) as Tensor4D;
    const picture = renderLinear(tf, pictures, codes);
    const total = tf.sum(pictures.weight, [1, 2]) as ReturnType<typeof tf.tensor1d>;
    const gradient = linearGradient(tf, pictures, { picture, photograph, total, photometric: 1.9, slope });
    const plain = linearGradient(tf, pictures, { picture, photograph, total, photometric: 1.9 });
    const [all, some, shown] = await Promise.all([gradient, plain, picture].map((x) => x.data<"float32">()));
    const padded = gradient.shape[1]!;
    for (const [i, { base, parts, photograph, weight, code }] of faces.entries()) {
      const rows = tf.tensor2d(parts.flatMap((part) => [...part]), [components, base.length]);
      const own = tf.tensor4d(weight, [1, side, side, 1]);
      const used = tf.cast(tf.greater(own, 0), "float32");
      const render = (x: Tensor2D) =>
        tf.add(base, tf.mul(tf.reshape(tf.matMul(x, rows), [1, side, side, 3]), used).flatten());
      const start = tf.tensor2d(code, [1, components]);
      const expected = await render(start).data<"float32">();
      assert.ok(maxDifference(shown!.slice(i * base.length, (i + 1) * base.length), expected) < 1e-5);
      const skin = (x: Tensor2D) => {
        const difference = tf.reshape(tf.sub(render(x), photograph), [1, side, side, 3]);
        const error = tf.sqrt(tf.add(tf.sum(tf.square(difference), 3, true), 1e-8));
        return tf.mul(1.9, tf.div(tf.sum(tf.mul(error, own)), tf.add(tf.sum(own), 1e-6)));
      };
      const others = tf.mul(tf.slice(slope, [i, 0, 0, 0], [1, -1, -1, -1]), used).flatten();
      const both = (x: Tensor2D) => tf.add(skin(x), tf.sum(tf.mul(render(x), others)));
      for (const [term, found] of [[both, all], [skin, some]] as const) {
        const reference = await tf.grad((x) => term(x as Tensor2D))(start).data<"float32">();
        const own = found!.slice(i * padded, i * padded + components);
        assert.ok(maxDifference(own, reference) < 1e-5, `${[...own]} and ${[...reference]}`);
        assert.deepEqual(
          found!.slice(i * padded + components, (i + 1) * padded),
          new Float32Array(padded - components),
        );
      }
    }
  }
});

Deno.test("what stands in the parts of a pixel without weight is not read", async () => {
  const [good, bad] = [face(3), face(3)];
  const spoilt = {
    ...good,
    parts: good.parts.map((part) => part.map((value, at) => good.weight[Math.floor(at / 3)] === 0 ? NaN : value)),
  };
  const results = [];
  for (const faces of [[good, bad], [spoilt, bad]]) {
    const linear = upload(tf, faces);
    const picture = renderLinear(tf, linear.pictures, linear.codes);
    const total = tf.sum(linear.pictures.weight, [1, 2]) as ReturnType<typeof tf.tensor1d>;
    const gradient = linearGradient(tf, linear.pictures, { ...linear, picture, total, photometric: 1 });
    results.push(await Promise.all([picture, gradient].map((x) => x.data<"float32">())));
    dispose(linear);
  }
  assert.deepEqual(results[1], results[0]);
});
