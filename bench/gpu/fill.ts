/**
 * What fills, mirrors, cuts out and undistorts, on the device and beside its reference in JavaScript. Maps lie on the
 * device already; photographs come from memory.
 */

import type { Rank, Tensor, Tensor3D } from "@tensorflow/tfjs";
import { boxMeanCpu } from "@ftim/gpu/ops/box-mean-cpu";
import { completeTextures } from "../../face/complete_textures.ts";
import { extendBeyondCharts } from "../../face/extend_charts.ts";
import { completeTexture } from "../../face/complete_textures_cpu.ts";
import { GUESS } from "../../face/guess_settings.ts";
import { headShell } from "../../face/head_shell.ts";
import { drawScenes } from "../../face/draw_scenes.ts";
import { createImage } from "../../face/image.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { enlargeCpu, pushPullCpu } from "@ftim/gpu/ops/push-pull-cpu";
import { drawScene } from "../../face/draw_scenes_cpu.ts";
import { undistortPhotograph } from "../../face/undistort.ts";
import { extendBeyondChart } from "../../face/extend_charts_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { boxMean } from "@ftim/gpu/ops/box-mean";
import { enlarge, pushPull } from "@ftim/gpu/ops/push-pull";
import { cropPhotographs } from "../../nets/crop_photographs.ts";
import { FACEMESH_SIZE } from "../../nets/facemesh.ts";
import type { Square } from "../../nets/facemesh_tracking.ts";
import { cutSquare } from "../../nets/turned_squares_cpu.ts";
import { cutTurnedSquares } from "../../nets/turned_squares.ts";
import { resampleCpu } from "../../nets/resample_cpu.ts";
import { undistort } from "../../face/undistort_cpu.ts";
import { gridHead } from "../../test/face/head.ts";
import { type Lab, rounded, type Row, time, timeAsync } from "./lab.ts";
import { CROP, picture, SIZE } from "./scene.ts";

const FACES = 16;
/** Batches of textures in flight at once, so that one waits while another computes. */
const IN_FLIGHT = 4;

/** One row for each piece of work. */
export async function benchFill(lab: Lab): Promise<Row[]> {
  return [...await benchMaps(lab), ...await benchPhotographs(lab), await benchScenes(lab)];
}

async function benchMaps(lab: Lab): Promise<Row[]> {
  const { tf } = lab;
  const { topology } = gridHead(101);
  const map = uvMap(topology, SIZE);
  const faces = Array.from({ length: FACES }, (_, i) => ({
    texture: picture(i, SIZE),
    template: picture(i + FACES, SIZE),
    visibility: Float32Array.from(map.inside, (value, k) => k % SIZE < SIZE * (0.3 + 0.6 * i / FACES) ? value : 0),
  }));
  const stack = (maps: Float32Array[]) =>
    tf.tidy(() => tf.stack<Tensor<Rank.R3>>(maps.map((one) => tf.tensor3d(one, [SIZE, SIZE, one.length / SIZE ** 2]))));
  const textures = stack(faces.map(({ texture }) => texture)).as4D(FACES, SIZE, SIZE, 3);
  const templates = stack(faces.map(({ template }) => template)).as4D(FACES, SIZE, SIZE, 3);
  const visibilities = stack(faces.map(({ visibility }) => visibility)).as3D(FACES, SIZE, SIZE);
  const small = tf.randomUniform<Rank.R4>([FACES, 16, 16, 3]);
  const cells = new Float32Array(16 * 16 * 3);

  const complete = async (inputs: Parameters<typeof completeTextures>[1], options: object) => {
    const once = async () => (await completeTextures(tf, inputs, { topology, ...options })).textures.dispose();
    return await timeAsync(() => Promise.all(Array.from({ length: IN_FLIGHT }, once))) / IN_FLIGHT;
  };
  const rows = [
    await beside(`complete ${FACES} textures of ${SIZE}²`, {
      ours: await complete({ textures, visibilities }, {}),
      plain: () => faces.forEach(({ texture, visibility }) => completeTexture(texture, visibility, { topology })),
    }),
    await beside("the same as FTIM's first guess", {
      ours: await complete({ textures, visibilities, templates }, GUESS),
      plain: () =>
        faces.forEach(({ texture, visibility, template }) =>
          completeTexture(texture, visibility, { topology, template, ...GUESS })
        ),
    }),
    await beside(`push-pull, ${FACES}×${SIZE}²×3`, {
      ours: await time(lab, () => tf.tidy(() => pushPull(tf, textures, { weights: visibilities }))),
      plain: () =>
        faces.forEach(({ texture, visibility }) => pushPullCpu(texture, { weights: visibility, size: SIZE })),
    }),
    await beside(`enlarge ${FACES}×16²×3 to ${SIZE}²`, {
      ours: await time(lab, () => enlarge(tf, small, { size: SIZE })),
      plain: () => faces.forEach(() => enlargeCpu(cells, { from: 16, to: SIZE })),
    }),
    await beside(`box means, ${FACES}×${SIZE}²`, {
      ours: await time(lab, () => tf.tidy(() => boxMean(tf, visibilities, { radius: 16 }))),
      plain: () => faces.forEach(({ visibility }) => boxMeanCpu(visibility, { size: SIZE, radius: 16 })),
    }),
    await beside(`extend beyond the chart, ${FACES}×${SIZE}²×3`, {
      ours: await time(lab, () => extendBeyondCharts(tf, textures, map)),
      plain: () => faces.forEach(({ texture }) => extendBeyondChart(texture, map)),
    }),
  ];
  tf.dispose([textures, templates, visibilities, small]);
  return rows;
}

async function benchPhotographs(lab: Lab): Promise<Row[]> {
  const { tf } = lab;
  const size = { width: 1536, height: 2048 };
  const bytes = Uint8Array.from({ length: 3 * size.width * size.height }, (_, i) => (i * 7) % 251);
  const kinds = {
    bytes: { ...size, data: bytes },
    floats: { ...size, data: Float32Array.from(bytes, (b) => b / 255) },
  };
  const boxes = Array.from(
    { length: FACES },
    (_, i) => ({ left: 20.5 * i, top: 31.25 * i, width: 400 + 40 * i, height: 400 + 40 * i }),
  );
  const to = { width: CROP, height: CROP, border: "zero" } as const;
  const k = [[1900, 0, 760.2], [0, 1900, 1031.7], [0, 0, 1]];
  const camera = { k, distortion: [-0.08, 0.11, 0.0003, -0.0004, 0] as [number, number, number, number, number] };
  const rows: Row[] = [];
  const squares = boxes.map(({ left, top, width }) => ({
    x: left + width / 2,
    y: top + width / 2,
    side: width,
    angle: 0.2,
  }));
  const turnOf = ({ x, y, side, angle }: Square) => ({
    x,
    y,
    a: Math.cos(angle) * side / FACEMESH_SIZE,
    b: Math.sin(angle) * side / FACEMESH_SIZE,
    samples: 2,
  });
  for (const [kind, image] of Object.entries(kinds)) {
    rows.push(
      await beside(`${FACES} turned squares to ${FACEMESH_SIZE}² of ${kind}`, {
        ours: await time(
          lab,
          () => cutTurnedSquares(tf, squares.map((square) => ({ image, ...turnOf(square) })), { side: FACEMESH_SIZE }),
        ),
        plain: () => squares.forEach((square) => cutSquare(kinds.floats, square)),
      }),
      await beside(`${FACES} crops to ${CROP}² of ${kind}`, {
        ours: await time(lab, () => cropPhotographs(tf, boxes.map((box) => ({ image, box })), to)),
        plain: () => boxes.forEach((box) => resampleCpu(kinds.floats, { box, ...to })),
      }),
      await beside(`undistort ${size.width}×${size.height} ${kind}`, {
        ours: await time(lab, () => undistortPhotograph(tf, image, { camera }).next().value as Tensor3D),
        plain: () => undistort(kinds.floats, camera),
      }),
    );
  }
  return rows;
}

/** Frames of one head as `synthesize` draws them. */
async function benchScenes(lab: Lab): Promise<Row> {
  const { tf } = lab;
  const side = 448;
  const { topology, model } = gridHead(101);
  const pose = (points: Float32Array) =>
    poseToCrop({
      scale: side / 4,
      rotation: rotationFromAngles({ yaw: 30, pitch: 5, roll: -3 }),
      translation: Float64Array.of(side / 2, -side / 2, 0),
    }, points);
  const shell = headShell(model, { triangles: topology.triangles, photographed: pose(model) });
  const frame = { face: pose(model), shell: { ...shell, vertices: pose(shell.vertices) } };
  const image = createImage({ width: side, height: side }, picture(5, side));
  const texture = createImage({ width: SIZE, height: SIZE }, picture(6, SIZE));
  const tint = [1.1, 1, 0.9] as const;
  const colours = { topology, texture, shell, photograph: image, tint, background: image };
  const maps = {
    texture: tf.tensor3d(texture.data, [SIZE, SIZE, 3]),
    background: tf.tensor3d(image.data, [side, side, 3]),
  };
  const frames = Array.from({ length: FACES }, () => ({ face: frame.face, shell: frame.shell.vertices }));
  const ours = await time(lab, () => drawScenes(tf, frames, { ...colours, ...maps }));
  const drawn = await timeAsync(() => Promise.resolve(drawScene({ ...colours, ...frame })));
  tf.dispose(Object.values(maps));
  return row(`draw ${FACES} frames of ${side}²`, { ours, script: FACES * drawn });
}

/** A row of our milliseconds and JavaScript's. */
async function beside(work: string, { ours, plain }: { ours: number; plain: () => void }): Promise<Row> {
  return row(work, { ours, script: await timeAsync(() => Promise.resolve(plain())) });
}

function row(work: string, { ours, script }: { ours: number; script: number }): Row {
  return {
    work,
    "ours ms": rounded(ours),
    "in JavaScript ms": rounded(script),
    speedup: rounded(script / ours),
  };
}
