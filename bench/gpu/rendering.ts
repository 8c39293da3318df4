/**
 * The image as a linear function of the texture, forward and transposed, the same for a batch of faces from their
 * vertices on, and the UV map of a mesh of 20,000 triangles with its visibility.
 */

import { createImage } from "../../face/image.ts";
import { renderOperator } from "../../face/render_cpu.ts";
import { unwrap } from "../../face/unwrap.ts";
import { unwrapCpu } from "../../face/unwrap_cpu.ts";
import { applySparse, disposeSparse } from "@ftim/gpu/sparse";
import { gridHead } from "../../test/face/head.ts";
import { benchDeviceRendering } from "./device_rendering.ts";
import { type Lab, rounded, type Row, time, timeAsync } from "./lab.ts";
import { CROP, picture, posed, SIZE } from "./scene.ts";

const BATCH = 8;

/** One row for each piece of work. */
export async function benchRendering(lab: Lab): Promise<Row[]> {
  const { tf, gpu, bandwidth } = lab;
  const { topology, model } = gridHead(101);
  const meshes = Array.from({ length: BATCH }, (_, i) => posed(model, -40 + 10 * i));
  const rows: Row[] = [];

  const operator = renderOperator(meshes[2]!, { topology, size: SIZE });
  const texture = tf.tensor2d(picture(1, SIZE), [SIZE * SIZE, 3]);
  const upstream = tf.tensor2d(picture(2), [CROP * CROP, 3]);
  // An entry's index and weight, three gathered values; a row's offset and three results.
  const bytes = (operatorRows: number) => operator.indices.length * (8 + 12) + operatorRows * (4 + 12);
  const sparse = (name: string, { run, count }: { run: () => ReturnType<typeof applySparse>; count: number }) =>
    time(lab, () => tf.tidy(run)).then((ms) =>
      rows.push({
        work: name,
        "ours ms": rounded(ms, 3),
        "GB/s": rounded(bytes(count) / ms / 1e6),
        "share of bandwidth": rounded(bytes(count) / ms / 1e6 / bandwidth, 3),
      })
    );
  await sparse(`render ${SIZE}² → ${CROP}²`, {
    run: () => applySparse(tf, operator, texture),
    count: operator.rows,
  });
  const gradient = tf.grad((x) => applySparse(tf, operator, x as typeof texture));
  await sparse(`render and its transpose`, {
    run: () => gradient(texture, upstream) as typeof texture,
    count: operator.rows + operator.cols,
  });
  disposeSparse(operator);
  tf.dispose([texture, upstream]);
  rows.push(...await benchDeviceRendering(lab));

  const image = createImage({ width: CROP, height: CROP }, picture(3));
  const faces = meshes.map((vertices) => ({ image, vertices }));
  const onCpu = await timeAsync(() => Promise.resolve(unwrapCpu([faces[0]!], { topology, size: SIZE })));
  const unwrapped = await timeAsync(() => unwrap(gpu, faces, { topology, size: SIZE }));
  rows.push({
    work: `unwrap with visibility, each of ${BATCH}`,
    "ours ms": rounded(unwrapped / BATCH),
    "in JavaScript ms": rounded(onCpu),
  });
  return rows;
}
