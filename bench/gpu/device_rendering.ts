/**
 * Faces rendered on the device, each step beside the same in JavaScript on one thread: triangles of pixels, the
 * operator built, a texture rendered, its gradient, and pictures of 64 faces in one pass.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { rasterise } from "@ftim/gpu/raster";
import { rasteriseCpu } from "@ftim/gpu/raster-cpu";
import { applySparseCpu } from "@ftim/gpu/sparse-cpu";
import { transposeSparse } from "@ftim/gpu/sparse-matrix";
import { applyOperatorCpu, pictureOperator, renderOperator } from "../../face/render_cpu.ts";
import { applyDeviceOperator, deviceOperator, disposeDeviceOperator } from "../../face/render_device.ts";
import { renderPictures } from "../../face/render_pictures.ts";
import { renderPortraits } from "../../face/render_portraits.ts";
import { disposeTransposed, transposeRender } from "../../face/render_transpose.ts";
import { gridHead } from "../../test/face/head.ts";
import { finish, type Lab, rounded, type Row, timeAsync } from "./lab.ts";
import { CROP, picture, posed, SIZE } from "./scene.ts";

const FACES = 64;
/** JavaScript takes the same time for each. */
const IN_JAVASCRIPT = 16;
const ROUNDS = 5;

/** One row for each step, milliseconds a face. */
export async function benchDeviceRendering(lab: Lab): Promise<Row[]> {
  const { tf } = lab;
  // About as many triangles as the face mesh.
  const { topology, model } = gridHead(21);
  const { triangles } = topology;
  const faces = Array.from({ length: FACES }, (_, i) => posed(model, -60 + 120 * i / (FACES - 1)));
  const some = faces.filter((_, i) => i % (FACES / IN_JAVASCRIPT) === 0);
  const one = { topology, size: SIZE, width: CROP, height: CROP };
  const [texture, upstream] = [picture(1, SIZE), picture(2)];
  const textures = tf.tile(tf.tensor4d(texture, [1, SIZE, SIZE, 3]), [FACES, 1, 1, 1]) as Tensor4D;
  const arrived = tf.tile(tf.tensor4d(upstream, [1, CROP, CROP, 3]), [FACES, 1, 1, 1]) as Tensor4D;
  const rows: Row[] = [];
  const row = async (
    work: string,
    { device, cpu }: { device: () => unknown; cpu: (vertices: Float32Array) => unknown },
  ) => {
    let [ours, inJavaScript] = [Infinity, Infinity];
    // In turns, so that other work on the machine slows both.
    for (let round = 0; round < ROUNDS; round++) {
      ours = Math.min(ours, await timeAsync(() => Promise.resolve(device()).then(() => finish(lab)), { rounds: 1 }));
      const once = () => Promise.resolve(some.forEach((vertices) => cpu(vertices)));
      inJavaScript = Math.min(inJavaScript, await timeAsync(once, { rounds: 1 }));
    }
    const [each, beside] = [ours / FACES, inJavaScript / IN_JAVASCRIPT];
    rows.push({
      work: `${work}, each of ${FACES}`,
      "ours ms": rounded(each, 3),
      "in JavaScript ms": rounded(beside, 3),
      "times JavaScript": rounded(beside / each),
    });
  };

  await row(`raster of ${triangles.length / 3} triangles at ${CROP}²`, {
    device: () => {
      const { triangle, weights, depth } = rasterise(tf, { vertices: faces, triangles }, { width: CROP, height: CROP });
      tf.dispose([triangle, weights, depth]);
    },
    cpu: (vertices) => rasteriseCpu({ vertices, triangles }, { width: CROP, height: CROP }),
  });
  await row("operator of training built", {
    device: () => disposeDeviceOperator(deviceOperator(tf, faces, one)),
    cpu: (vertices) => renderOperator(vertices, one),
  });
  const operator = deviceOperator(tf, faces, one);
  const cpuOperators = new Map(some.map((vertices) => [vertices, renderOperator(vertices, one)]));
  const cpuOperator = (vertices: Float32Array) => cpuOperators.get(vertices)!;
  await row(`texture of ${SIZE}² rendered`, {
    device: () => applyDeviceOperator(tf, operator, textures).dispose(),
    cpu: (vertices) => applyOperatorCpu(cpuOperator(vertices), texture),
  });
  await row("operator transposed", {
    device: () => disposeTransposed(transposeRender(tf, operator)),
    cpu: (vertices) => transposeSparse(cpuOperator(vertices)),
  });
  const transposed = new Map(some.map((vertices) => [vertices, transposeSparse(cpuOperator(vertices))]));
  const gradient = tf.grad((x: Tensor) => applyDeviceOperator(tf, operator, x as Tensor4D));
  await row("rendered, and its gradient", {
    device: () => gradient(textures, arrived).dispose(),
    cpu: (vertices) => [
      applyOperatorCpu(cpuOperator(vertices), texture),
      applySparseCpu(transposed.get(vertices)!, upstream),
    ],
  });
  disposeDeviceOperator(operator);
  await row("operator of training built, and rendered", {
    device: () => {
      const made = deviceOperator(tf, faces, one);
      applyDeviceOperator(tf, made, textures).dispose();
      disposeDeviceOperator(made);
    },
    cpu: (vertices) => applyOperatorCpu(renderOperator(vertices, one), texture),
  });
  await row("picture of 3×3 samples a pixel", {
    device: () => {
      const { pictures, coverage } = renderPictures(tf, faces, { ...one, textures });
      tf.dispose([pictures, coverage]);
    },
    cpu: (vertices) => applyOperatorCpu(pictureOperator(vertices, one), texture),
  });
  tf.dispose([textures, arrived]);
  const portraits = faces.map((vertices) => ({ vertices, texture }));
  await row("the same from memory to memory", {
    device: () => renderPortraits(tf, portraits, one),
    cpu: (vertices) => applyOperatorCpu(pictureOperator(vertices, one), texture),
  });
  return rows;
}
