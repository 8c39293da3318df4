/** What DECA means by its numbers, each beside a value of its authors' own functions (test/golden/deca.py). */
import assert from "node:assert/strict";
import { disposeSparse } from "@ftim/gpu/sparse";
import { applySparseCpu } from "@ftim/gpu/sparse-cpu";
import { openTfjs } from "@ftim/gpu/tfjs";
import { decaCrop, toCrop } from "../../face/crop.ts";
import { projectDeca } from "../../face/deca_camera.ts";
import { projectDecaCpu } from "../../face/deca_camera_cpu.ts";
import { decaLandmarkCrop } from "../../face/deca_landmark_crop.ts";
import { shade } from "../../face/light_cpu.ts";
import { facePart } from "../../face/face_part.ts";
import { vertexNormals } from "../../face/normals.ts";
import { chartMatrix, parseTemplateMesh, toChart } from "../../face/template_mesh.ts";
import { bilinearCrops } from "../../nets/bilinear_crop.ts";
import { bilinearCropCpu } from "../../nets/bilinear_crop_cpu.ts";
import { gathered } from "./cut_head.ts";
import { relativeError } from "../gpu/arrays.ts";
import { drawnUniform, numbers } from "../golden/drawn.ts";
import golden from "../golden/deca.json" with { type: "json" };
import { goldenPair } from "../golden/images.ts";

const tf = await openTfjs();
const WIDTH = 480, HEIGHT = 360;
const { a: picture } = goldenPair({ width: WIDTH, height: HEIGHT, amplitude: 1 });
const bytes = { ...picture, data: Uint8Array.from(picture.data, (value) => Math.round(255 * value)) };
const obj = await Deno.readTextFile(new URL("../golden/files/seams.obj", import.meta.url));
const mesh = parseTemplateMesh(obj, "seams.obj");
const vertices = Float32Array.from(
  obj.split("\n").filter((line) => line.startsWith("v ")).flatMap((line) => line.split(" ").slice(1).map(Number)),
);

/** The crops around drawn landmarks. */
const placed = golden.crops.map(({ x, y, width, height }, i) => {
  const drawn = drawnUniform(`landmarks ${i}`, 136);
  const landmarks = drawn.map((value, k) => k % 2 === 0 ? value * width + x : value * height + y);
  return decaLandmarkCrop(landmarks, { photograph: { width: WIDTH, height: HEIGHT } });
});

Deno.test("the crop around 68 landmarks lies where the authors put it", () => {
  for (const [i, { scale, right, down }] of golden.crops.entries()) {
    const found = placed[i]!;
    // theirs is of whole numbers at pixel centres, ours of +0.5
    for (const point of [{ x: 0, y: 0 }, { x: 300, y: 200 }]) {
      const ours = toCrop(found, { x: point.x + 0.5, y: point.y + 0.5 });
      assert.ok(Math.abs(ours.x - 0.5 - (scale * point.x + right)) < 1e-3);
      assert.ok(Math.abs(ours.y - 0.5 - (scale * point.y + down)) < 1e-3);
    }
  }
  assert.throws(() => decaLandmarkCrop([3, 4], { photograph: picture }), /by 1 landmarks in a box of no size/);
  assert.throws(() => decaLandmarkCrop([], { photograph: picture }), /by 0 landmarks/);
});

Deno.test("the crop around a detector's box has the authors' side and centre", () => {
  for (const { box: [left, top, right, bottom], side, centre } of golden.boxes) {
    const box = { left: left!, top: top!, width: right! - left!, height: bottom! - top! };
    const { scale, x, y } = decaCrop(box, { photograph: { width: WIDTH, height: HEIGHT } });
    assert.equal(Math.round(223 / scale), side);
    // the crop's middle pixel centres lie about theirs, whose centres are whole numbers
    assert.ok(Math.abs((112 - x) / scale - 0.5 - centre[0]!) < 1e-6);
    assert.ok(Math.abs((112 - y) / scale - 0.5 - centre[1]!) < 1e-6);
  }
});

Deno.test("crops hold the authors' values, on the device and in loops, of bytes and of floats", async () => {
  for (const image of [bytes, picture]) {
    const crops = bilinearCrops(tf, placed.map((transform) => ({ image, transform })), { size: 224 });
    const values = await crops.data<"float32">();
    for (const [i, { every, values: expected }] of golden.crops.entries()) {
      const own = values.slice(3 * 224 * 224 * i, 3 * 224 * 224 * (i + 1));
      assert.ok(
        relativeError(own.filter((_, at) => at % every === 0), numbers(expected)) < 1e-4,
        `crop ${i} beside theirs`,
      );
      assert.ok(relativeError(own, bilinearCropCpu(image, placed[i]!).data) < 1e-4, `crop ${i} beside loops`);
    }
    crops.dispose();
  }
  const other = { ...placed[0]!, photograph: { width: 10, height: 10 } };
  assert.throws(
    () => bilinearCrops(tf, [{ image: bytes, transform: other }], { size: 224 }),
    /Crop 0 is of 224 pixels/,
  );
  assert.throws(() => bilinearCrops(tf, [], { size: 224 }), /no photograph/);
});

Deno.test("the camera gives the authors' place of a point, in pixels with centres at +0.5", async () => {
  const { cameras } = golden.camera;
  const [points, projected] = [golden.camera.points.map(numbers), golden.camera.projected.map(numbers)];
  const size = 224;
  const device = projectDeca(tf, tf.tensor3d(points.flatMap((one) => [...one]), [2, points[0]!.length / 3, 3]), {
    camera: tf.tensor2d(cameras),
    size,
  });
  const values = await device.data<"float32">();
  for (const [i, camera] of cameras.entries()) {
    const expected = projected[i]!.map((value, k) => value * size / 2 + (k % 3 === 2 ? 0 : size / 2));
    assert.ok(relativeError(Float32Array.from(projectDecaCpu(points[i]!, { camera, size })), expected) < 1e-6);
    const { length } = expected;
    assert.ok(relativeError(values.slice(length * i, length * (i + 1)), expected) < 1e-5);
  }
});

Deno.test("normals and shading are the authors'", () => {
  // ours are of view space, where y and z of crop pixels are turned over; DECA's are of the head itself
  const turned = vertices.map((value, i) => i % 3 === 0 ? value : -value);
  const normals = vertexNormals(turned, mesh);
  assert.ok(relativeError(normals, numbers(golden.normals)) < 1e-5);
  assert.ok(relativeError(shade(normals, Float32Array.from(numbers(golden.light))), numbers(golden.shading)) < 1e-5);
});

Deno.test("DECA's light on a face in its crop, split along its seams, is the authors' shading", () => {
  const { topology, vertices: sources } = facePart(mesh, { size: 1, values: [1] });
  const camera = golden.camera.cameras[0]!;
  const inCrop = Float32Array.from(projectDecaCpu(vertices, { camera, size: 224 }));
  const shading = shade(
    vertexNormals(gathered(inCrop, sources), topology),
    Float32Array.from(numbers(golden.light)),
  );
  const expected = gathered(Float32Array.from(numbers(golden.shading)), sources);
  assert.ok(shading.length > numbers(golden.shading).length);
  assert.ok(relativeError(shading, expected) < 1e-5);
});

Deno.test("the chart's texels lie where the authors' rasteriser puts them, seams and all", async () => {
  const { size, camera, inside, positions } = golden.unwrap;
  const matrix = chartMatrix(mesh, size);
  // their places run from −1 to 1 with y down, which is what a crop of two pixels shows less one
  const projected = Float32Array.from(projectDecaCpu(vertices, { camera, size: 2 }), (v, i) => i % 3 === 2 ? v : v - 1);
  const found = applySparseCpu(matrix, projected);
  let shown = 0;
  [...inside].forEach((expected, texel) => {
    const has = matrix.offsets[texel + 1]! > matrix.offsets[texel]!;
    assert.equal(has, expected === "1", `texel ${texel}`);
    if (has) shown++;
  });
  assert.ok(shown > 150 && shown < size * size);
  assert.ok(relativeError(found, numbers(positions)) < 1e-5);
  const both = tf.tensor3d([...projected, ...projected.map((value) => 2 * value)], [2, mesh.vertexCount, 3]);
  const maps = toChart(tf, matrix, both);
  assert.deepEqual(maps.shape, [2, size, size, 3]);
  const values = await maps.data<"float32">();
  assert.ok(relativeError(values.slice(0, found.length), found) < 1e-6);
  assert.ok(relativeError(values.slice(found.length), found.map((value) => 2 * value)) < 1e-6);
  tf.dispose([both, maps]);
  disposeSparse(matrix);
});

Deno.test("what a picture shows at a texel is read between pixel centres at +0.5", () => {
  const { size, inside } = golden.unwrap;
  const [positions, expected] = [numbers(golden.unwrap.positions), numbers(golden.unwrap.picture)];
  const side = 2 * size;
  const { a: image } = goldenPair({ width: side, height: side, amplitude: 1 });
  let compared = 0;
  [...inside].forEach((has, texel) => {
    const [x = 0, y = 0] = [0, 1].map((k) => (positions[3 * texel + k]! + 1) / 2 * side);
    if (has === "0" || Math.min(x, y) < 1 || Math.max(x, y) > side - 1) return;
    const transform = { scale: 1, x: 0.5 - x, y: 0.5 - y, size: 1, photograph: image };
    const { data } = bilinearCropCpu(image, transform);
    assert.ok(relativeError(data, expected.slice(3 * texel, 3 * texel + 3)) < 1e-4, `texel ${texel}`);
    compared++;
  });
  assert.ok(compared > 100);
});

Deno.test("parseTemplateMesh() says which line is wrong", () => {
  const lines = obj.split("\n");
  const refused = (changed: string[], message: RegExp) =>
    assert.throws(() => parseTemplateMesh(changed.join("\n"), "x.obj"), { name: "SyntaxError", message });
  const face = lines.findIndex((line) => line.startsWith("f "));
  const withFace = (text: string) => lines.map((line, i) => i === face ? text : line);
  refused(withFace("f 1/1 2/2 3/3 4/4"), new RegExp(`x\\.obj: line ${face + 1} has 4 corners`));
  refused(withFace("f 1 2 3"), /has the corner 1; expected is vertex\/UV/);
  refused(withFace("f 1/1 2/2 99/3"), /a corner names 99\/\d+, and there are 42\/48/);
  refused(lines.map((line) => line.startsWith("vt") ? "vt a b" : line), /is no place in the chart/);
  refused(["<html>"], /it has no triangles\. Expected is an OBJ file/);
});
