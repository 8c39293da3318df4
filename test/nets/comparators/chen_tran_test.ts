/** The comparators Chen and Tran about drawn regressors; the regressors are tested beside their authors' code. */
import assert from "node:assert/strict";
import type { Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { openTfjs } from "@ftim/gpu/tfjs";
import { cropInPhotograph, decaCrop } from "../../../face/crop.ts";
import { bilinearCropCpu } from "../../../nets/bilinear_crop_cpu.ts";
import type { ChenCode } from "../../../nets/chen_encoder.ts";
import type { ChenRegressor } from "../../../nets/chen_regressor.ts";
import { chenComparator } from "../../../nets/comparators/chen.ts";
import { tranComparator } from "../../../nets/comparators/tran.ts";
import type { TranRegressor } from "../../../nets/tran_regressor.ts";
import { relativeError } from "../../gpu/arrays.ts";
import { noise } from "../inputs.ts";

const tf = await openTfjs();
const image = noise({ width: 200, height: 160, seed: 4 });
const face = { box: { left: 30.5, top: 20.25, width: 90, height: 110 }, points: [], by: "the test" };
const triangles = Uint32Array.of(0, 1, 2, 2, 1, 3);

/** A square of side 100 in each crop, red. */
function square(batch: number) {
  const corners = [50, 60, 0, 50, 160, 0, 150, 60, 0, 150, 160, 0];
  const all = <T>(values: readonly T[]) => Array.from({ length: batch }, () => values).flat();
  return {
    vertices: tf.tensor3d(all(corners), [batch, 4, 3]),
    colours: tf.tensor3d(all([1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]), [batch, 4, 3]),
  };
}

Deno.test("Tran's crop is its regressor's, and its vertices are drawn in their colours", async () => {
  const place: TranRegressor["place"] = (box, photograph) => decaCrop(box, { photograph });
  const regressor: TranRegressor = {
    mesh: { triangles, uvs: new Float32Array(8) },
    place,
    reconstruct: ({ shape: [batch] }) => ({ ...square(batch), texture: tf.zeros([batch, 3, 5, 3]) as Tensor4D }),
    dispose: () => {},
  };
  const before = tf.memory().numTensors;
  const comparator = tranComparator(tf, regressor);
  const { crops, parts } = comparator.crop(tf, [{ image, face }]);
  const transform = decaCrop(face.box, { photograph: image });
  assert.ok(relativeError(await crops.data<"float32">(), bilinearCropCpu(image, transform).data) < 1e-4);
  assert.deepEqual(parts, [cropInPhotograph(transform)]);
  const made = await comparator.reconstruct(crops);
  assert.deepEqual(Object.keys(made), ["vertices", "colours"]);
  tf.dispose([crops, ...Object.values(made)]);
  assert.equal(tf.memory().numTensors, before);
});

/** A regressor whose fourth vertex its authors do not draw; `seen` is given what the detail network looks at. */
function drawnChen(seen: (drawn: Tensor4D) => void): ChenRegressor {
  return {
    mesh: { triangles, mask: Float32Array.of(1, 1, 1, 0) },
    place: (box, photograph) => decaCrop(box, { size: 300, photograph }),
    reconstruct: ({ shape: [batch] }) => ({
      ...square(batch),
      space: tf.zeros([batch, 4, 3]) as Tensor3D,
      albedo: tf.zeros([batch, 4, 3]) as Tensor3D,
      code: { light: tf.zeros([batch, 3, 9]) } as unknown as ChenCode,
    }),
    detail: {
      triangles: Uint32Array.of(0, 2, 1),
      reconstruct(_, { coarse, drawn }) {
        seen(tf.keep(tf.add(drawn, 0)) as Tensor4D);
        return { vertices: tf.mul(coarse.vertices, 2) as Tensor3D, colours: tf.mul(coarse.colours, 0.5) as Tensor3D };
      },
    },
    dispose: () => {},
  };
}

Deno.test("a face that Chen's coarse network places nowhere leaves the others as they are", async () => {
  const crops = tf.fill([2, 300, 300, 3], 0.25) as Tensor4D;
  let drawn: Tensor4D | undefined;
  const regressor = drawnChen((tensor) => drawn = tensor);
  for (const far of [NaN, Infinity, 1e30]) {
    const comparator = chenComparator(tf, {
      ...regressor,
      reconstruct(x) {
        const faces = regressor.reconstruct(x);
        const factors = tf.tensor3d([1, far], [2, 1, 1]);
        return { ...faces, vertices: tf.mul(faces.vertices, factors) as Tensor3D };
      },
    });
    const { vertices } = await comparator.reconstruct(crops);
    const [good, bad] = [(await vertices.data()).slice(0, 12), (await vertices.data()).slice(12)];
    assert.ok(good.every((value) => Math.abs(value) <= 320), `${good}`);
    assert.ok(bad.some((value) => !(Math.abs(value) < 1e6)), `${bad}`);
    const pictures = await drawn!.data();
    const half = pictures.length / 2;
    assert.ok(pictures.slice(0, half).some((value) => value === 1), "the face is drawn");
    assert.ok(pictures.slice(half).every((value) => value === 0.25), "the other is not");
  }
});

Deno.test("Chen's detail network looks at the coarse faces, drawn over their crops as the authors do", async () => {
  const crops = tf.fill([2, 300, 300, 3], 0.25) as Tensor4D;
  const before = tf.memory().numTensors;
  let drawn: Tensor4D | undefined;
  const comparator = chenComparator(tf, drawnChen((pictures) => drawn = pictures));
  assert.deepEqual([...comparator.topology.triangles], [0, 2, 1]);
  const made = await comparator.reconstruct(crops);
  assert.equal((await made.vertices.data())[1], 120);
  const pixels = await drawn!.data<"float32">();
  const at = (batch: number, { x, y }: { x: number; y: number }) => {
    const first = 3 * ((batch * 300 + y) * 300 + x);
    return [...pixels.subarray(first, first + 3)];
  };
  for (const batch of [0, 1]) {
    assert.deepEqual(at(batch, { x: 60, y: 70 }), [1, 0, 0]);
    assert.deepEqual(at(batch, { x: 140, y: 150 }), [0.25, 0.25, 0.25], "beside the mask");
    assert.deepEqual(at(batch, { x: 20, y: 20 }), [0.25, 0.25, 0.25]);
  }
  assert.deepEqual((await crops.data())[3 * (70 * 300 + 60)], 0.25, "the crops stay as they are");
  tf.dispose([drawn!, ...Object.values(made)]);
  assert.equal(tf.memory().numTensors, before, "nothing is leaked");
  crops.dispose();
});

Deno.test("Chen's coarse faces do not stand for the method: without the detail there is no comparator", () => {
  assert.throws(() => chenComparator(tf, { ...drawnChen(() => {}), detail: undefined }), TypeError);
});
