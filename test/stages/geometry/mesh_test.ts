/**
 * The mesh stage's tracking: with a network whose errors are known, and on a packaged photograph against another
 * network.
 */
import type { Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { cropInPhotograph, decaCrop, toCrop } from "../../../face/crop.ts";
import { createImage, type RgbImage } from "../../../face/image.ts";
import { openDetector } from "../../../nets/detector.ts";
import { mirrorVertices } from "../../../face/topology.ts";
import { type FaceMesh, openFaceMesh } from "../../../nets/facemesh.ts";
import { parseFacemesh } from "../../../nets/facemesh_topology.ts";
import { mirrorImage } from "../../../nets/network_input.ts";
import { squareAround, trackMeshes } from "../../../nets/facemesh_tracking.ts";
import { cutSquare } from "../../../nets/turned_squares_cpu.ts";
import { openLandmarks68 } from "../../nets/landmarks68.ts";
import { resampleCpu } from "../../../nets/resample_cpu.ts";
import { largest } from "../../../stages/data/detect.ts";
import { decodePhotograph } from "../../../stages/faces/photograph.ts";
import { asset } from "../../assets.ts";
import { maxDifference } from "../../face/head.ts";
import { posed } from "../face_lab.ts";

/** A picture whose colour says where in it one is. */
function chart(side: number): RgbImage {
  const image = createImage({ width: side, height: side });
  for (let i = 0; i < side * side; i++) {
    image.data.set([(i % side + 0.5) / side, (Math.floor(i / side) + 0.5) / side, 0], 3 * i);
  }
  return image;
}

/** Vertices turned clockwise by `angle` about the middle of the face, scaled and moved. */
function placed({ angle = 0, scale = 1, x = 0, y = 0 }): Float32Array {
  const [cos, sin] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  return posed().map((value, i, all) => {
    if (i % 3 === 2) return scale * value;
    const [u, v] = [all[i - i % 3]! - 112, all[i - i % 3 + 1]! - 112];
    return i % 3 === 0 ? x + cos * u - sin * v : y + sin * u + cos * v;
  });
}

/**
 * A network that reads off a chart where its crop lies, and finds the face `truth` in it; `habit` of its answer is what
 * it is used to: an upright face in the middle.
 */
function habitual(truth: Float32Array, { side, habit }: { side: number; habit: number }): FaceMesh {
  const usual = placed({ x: 96, y: 96 });
  const square = squareAround(usual);
  const scale = 192 / square.side;
  const expected = usual.map((value, i) => scale * value - [scale * square.x - 96, scale * square.y - 96, 0][i % 3]!);
  const predict = async (crops: Tensor4D) => {
    const all = await crops.data();
    return Array.from({ length: crops.shape[0] }, (_, crop) => {
      const data = all.subarray(3 * 192 * 192 * crop);
      const at = (x: number, y: number) => [0, 1].map((c) => side * data[3 * (192 * y + x) + c]!) as [number, number];
      const [a, b, c] = [at(64, 64), at(128, 64), at(64, 128)];
      const [p, q] = [[(b[0] - a[0]) / 64, (b[1] - a[1]) / 64], [(c[0] - a[0]) / 64, (c[1] - a[1]) / 64]] as const;
      const area = p[0]! * q[1]! - p[1]! * q[0]!;
      const vertices = truth.map((value, i) => {
        const [u, v] = [truth[i - i % 3]! - a[0], truth[i - i % 3 + 1]! - a[1]];
        const seen = [
          64.5 + (u * q[1]! - v * q[0]!) / area,
          64.5 + (v * p[0]! - u * p[1]!) / area,
          value / Math.sqrt(area),
        ][i % 3]!;
        return (1 - habit) * seen + habit * expected[i]!;
      });
      return { vertices, score: 1 };
    });
  };
  return { predict, dispose: () => {} };
}

Deno.test("squareAround() gives a turned face's angle, centre and 1.5 times its size", () => {
  const straight = squareAround(placed({ x: 200, y: 200 }));
  assert.ok(Math.abs(straight.angle) < 1e-6 && Math.abs(straight.x - 200) < 2);
  for (const angle of [-2.5, -0.7, 0.4, 1.5]) {
    const turned = squareAround(placed({ angle, scale: 1.3, x: 150, y: 220 }));
    assert.ok(Math.abs(turned.angle - angle) < 1e-5, `${turned.angle} for ${angle}`);
    assert.ok(Math.abs(turned.side - 1.3 * straight.side) < 1e-2);
  }
});

Deno.test("cutSquare() shows the square upright, and its edge beyond the image", () => {
  const cut = cutSquare(chart(256), { x: 120, y: 100, side: 96, angle: Math.PI / 2 });
  const at = (x: number, y: number) => [0, 1].map((c) => 256 * cut.data[3 * (192 * y + x) + c]!);
  // Turned clockwise by a quarter: the cut's right is the image's bottom.
  const [x, y] = at(143, 95);
  assert.ok(Math.abs(x! - 120) < 0.6 && Math.abs(y! - 124) < 0.6, `${x}, ${y}`);
  const beyond = cutSquare(chart(256), { x: 0, y: 128, side: 192, angle: 0 });
  assert.ok(Math.abs(256 * beyond.data[3 * (192 * 95 + 10)]! - 0.5) < 1e-3);
});

Deno.test("trackMeshes() finds a face again that is moved, turned and of another size", async () => {
  const side = 400;
  const truth = placed({ angle: 0.6, scale: 0.9, x: 215, y: 190 });
  const start = { x: 190, y: 210, side: 260, angle: 0 };
  const network = habitual(truth, { side, habit: 0.3 });
  const error = async (passes: number) => {
    const [found] = await trackMeshes(network, [chart(side)], { starts: [start], passes });
    return maxDifference(found!.vertices, truth);
  };
  const errors = [await error(1), await error(3), await error(8)];
  assert.ok(errors[0]! > 10, `the first pass is off by ${errors[0]} pixels`);
  assert.ok(errors[1]! < 0.25 * errors[0]! && errors[2]! < 0.5, `${errors}`);
});

Deno.test("a face's mirror image has the mirror image of its mesh, which is the mean of two looks", async () => {
  const { image: face } = await decodePhotograph(await asset("train/obama/obama4_crop.jpg"));
  const mesh = await openFaceMesh({
    model: await asset("models/facemesh.json"),
    weights: await asset("models/facemesh.bin"),
  });
  const { mirror } = parseFacemesh(new TextDecoder().decode(await asset("models/facemeshcoords.ts")));
  const other = mirrorImage(face);
  // Off the face's middle and turned, so that each look differs from the other.
  const square = { x: 0.52 * face.width, y: 0.5 * face.height, side: 0.9 * face.width, angle: 0.12 };
  const starts = [square, { ...square, x: face.width - square.x, angle: -square.angle }];
  const both = await trackMeshes(mesh, [face, other], { starts, passes: 1, mirror });
  const alone = await trackMeshes(mesh, [face, other], { starts, passes: 1 });
  const tracked = await trackMeshes(mesh, [face], { starts: [square], mirror });
  mesh.dispose();
  const back = (vertices: Float32Array) => mirrorVertices(vertices, { mirror, about: face.width / 2 });
  assert.ok(maxDifference(both[0]!.vertices, back(both[1]!.vertices)) < 1e-2);
  assert.ok(Math.abs(both[0]!.score - both[1]!.score) < 1e-5);
  assert.ok(maxDifference(alone[0]!.vertices, back(alone[1]!.vertices)) > 0.5, "one look is not symmetric");
  const mean = alone[0]!.vertices.map((value, i) => (value + back(alone[1]!.vertices)[i]!) / 2);
  assert.ok(maxDifference(both[0]!.vertices, mean) < 1e-2);
  assert.ok(tracked[0]!.score > 0.9);
});

Deno.test("meshes found both ways are the same alone and among others", async () => {
  const side = 400;
  const truth = placed({ angle: 0.6, scale: 0.9, x: 215, y: 190 });
  const network = habitual(truth, { side, habit: 0.3 });
  const { mirror } = parseFacemesh(new TextDecoder().decode(await asset("models/facemeshcoords.ts")));
  const starts = Array.from({ length: 70 }, (_, i) => ({ x: 190 + i % 7, y: 210 - i % 5, side: 260 + i, angle: 0 }));
  const all = await trackMeshes(network, starts.map(() => chart(side)), { starts, mirror });
  for (const i of [0, 63, 64, 69]) {
    const [alone] = await trackMeshes(network, [chart(side)], { starts: [starts[i]!], mirror });
    assert.deepEqual(all[i], alone);
  }
});

Deno.test("on a photograph the mesh's eyes, nose and mouth lie where another network finds them", async () => {
  const { image } = await decodePhotograph(await asset("train/obama/obama4_crop.jpg"));
  const detector = await openDetector(await asset("models/fr_detect.onnx"));
  const box = largest(await detector.detect(image));
  await detector.dispose();
  const transform = decaCrop(box, { photograph: image });
  const crop = resampleCpu(image, { box: cropInPhotograph(transform), width: 224, height: 224, border: "zero" });
  const mesh = await openFaceMesh({
    model: await asset("models/facemesh.json"),
    weights: await asset("models/facemesh.bin"),
  });
  const centre = toCrop(transform, { x: box.left + box.width / 2, y: box.top + box.height / 2 });
  const side = 1.5 * transform.scale * (box.width + box.height) / 2;
  // From a start that is off by a tenth and turned.
  const starts = [{ ...centre, side, angle: 0 }, { x: centre.x + 0.1 * side, y: centre.y, side, angle: 0.3 }];
  const [found, rough] = await trackMeshes(mesh, [crop, crop], { starts });
  mesh.dispose();
  assert.ok(found!.score > 0.9);
  const landmarks = await openLandmarks68(await asset("models/fr_landmark.onnx"));
  const points = await landmarks.predict(image, box);
  await landmarks.dispose();

  const vertex = ({ vertices }: { vertices: Float32Array }, ...ids: number[]) =>
    [0, 1].map((axis) => ids.reduce((sum, id) => sum + vertices[3 * id + axis]!, 0) / ids.length);
  const landmark = (...ids: number[]) => {
    const [x, y] = [0, 1].map((axis) => ids.reduce((sum, id) => sum + points[2 * id + axis]!, 0) / ids.length);
    const at = toCrop(transform, { x: x!, y: y! });
    return [at.x, at.y];
  };
  const distance = (a: number[], b: number[]) => Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!);
  const between = distance(landmark(36, 39), landmark(42, 45));
  for (
    const [name, ids, other] of [
      ["image-left eye", [33, 133], [36, 39]],
      ["image-right eye", [362, 263], [42, 45]],
      ["corners of the mouth", [61, 291], [48, 54]],
    ] as const
  ) {
    const off = distance(vertex(found!, ...ids), landmark(...other)) / between;
    assert.ok(off < 0.1, `${name}: ${off} of the distance between the eyes apart`);
    assert.ok(distance(vertex(found!, ...ids), vertex(rough!, ...ids)) < 0.05 * between, `${name} from another start`);
  }
});
