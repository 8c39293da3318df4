/** Photographs through detect and pose to align. */
import assert from "node:assert/strict";
import { cropInPhotograph, decaCrop, photographInCrop, toCrop } from "../../../face/crop.ts";
import { createImage } from "../../../face/image.ts";
import { resampleCpu } from "../../../nets/resample_cpu.ts";
import { cast, sourceFolder } from "@ftim/pipeline";
import { type AlignedFace, alignFaces } from "../../../stages/data/align.ts";
import { detectFaces, type Detection, largest } from "../../../stages/data/detect.ts";
import { asset } from "../../../stages/data/fetch.ts";
import { importPhotographs } from "../../../stages/data/import.ts";
import { decodePhotograph, encodePng } from "../../../stages/faces/photograph.ts";
import { estimatePose, type Pose } from "../../../stages/data/pose.ts";
import { asset as bytesOf } from "../../assets.ts";
import { withScratch } from "../scratch.ts";

const detector = asset("models/fr_detect.onnx");
const poser = asset("models/fr_pose.onnx");

Deno.test("photographs with three, one and no face go through detect, pose and align", () =>
  withScratch(async ({ folder, write, run }) => {
    await write("three.jpg", await bytesOf("test/sample1.jpg"));
    await write("anna/left.jpg", await bytesOf("train/franck/franck_04000.jpg"));
    await write("none.jpg", await bytesOf("decoy/poisson_example.jpg"));
    const images = importPhotographs(sourceFolder(folder));
    const all = detectFaces({ images, network: detector }, { keep: "all" });
    const { trees } = await run({
      all,
      one: detectFaces({ images, network: detector }),
      poses: estimatePose({ images, detections: all, network: poser }),
      aligned: alignFaces({ images, detections: all }),
      images,
    });

    assert.deepEqual([...trees.all.skipped], [["none", "none: no face (score of at least 0.6)"]]);
    const three = await trees.all.json<Detection>("three.json");
    assert.deepEqual([three.faces.length, three.found], [3, 3]);
    const centres = three.faces.map(({ left, width }) => left + width / 2);
    assert.deepEqual(centres, centres.toSorted((a, b) => a - b));
    const one = await trees.one.json<Detection>("three.json");
    assert.deepEqual([one.faces, one.found], [[largest(three.faces)], 3]);

    const { faces: poses, known } = await trees.poses.json<Pose>("three.json");
    assert.equal(known, null);
    assert.equal(poses.length, 3);
    const [first, second, third] = poses;
    assert(first!.yaw < -15 && Math.abs(first!.roll) < 12, "the first of the three looks to the image's left, upright");
    assert(second!.pitch < -10 && second!.roll > 15, "the second looks down, her head leans to the left");
    assert(third!.pitch > 0 && third!.roll < -15, "the third looks up, her head leans to the right");
    const looking = await trees.poses.json<Pose>("anna/left.json");
    assert(looking.faces[0]!.yaw < -5 && looking.faces[0]!.pitch < -5, "franck looks to the image's left, and down");

    const crops = trees.aligned.paths.filter((path) => path.endsWith(".png"));
    assert.deepEqual(crops, ["anna/left/0.png", "three/0.png", "three/1.png", "three/2.png"]);
    assert.equal((await trees.aligned.json<AlignedFace>("anna/left/0.json")).identity, "anna");
    const photograph = (await decodePhotograph(await trees.images.bytes("three.png"))).image;
    for (const [i, box] of three.faces.entries()) {
      const { transform, ...aligned } = await trees.aligned.json<AlignedFace>(`three/${i}.json`);
      assert.deepEqual([aligned.photograph, aligned.face, aligned.box], ["three", i, box]);
      // The crop shows the photograph where its transform says: compare coarse means around the face's centre.
      const crop = (await decodePhotograph(await trees.aligned.bytes(`three/${i}.png`))).image;
      const { scale, x, y } = transform;
      for (const [u, v] of [[112, 112], [80, 90], [140, 150]] as const) {
        const [from, to] = [[u - 12, v - 12], [u + 12, v + 12]] as const;
        const [start, end] = [from, to].map(([a, b]) => [(a - x) / scale, (b - y) / scale] as const);
        assert(Math.abs(mean(crop, from, to) - mean(photograph, start!, end!)) < 0.01, `face ${i} at ${u}, ${v}`);
      }
    }
  }));

function mean(
  { data, width }: { data: Float32Array; width: number },
  from: readonly [number, number],
  to: readonly [number, number],
): number {
  let sum = 0;
  let count = 0;
  for (let y = Math.round(from[1]); y < Math.round(to[1]); y++) {
    for (let x = Math.round(from[0]); x < Math.round(to[0]); x++, count++) sum += data[3 * (y * width + x)]!;
  }
  return sum / count;
}

Deno.test("align neither aliases nor smears, and is black beyond the photograph", () =>
  withScratch(async ({ folder, write, run }) => {
    // a checkerboard of single pixels, reduced about fourfold, must become grey
    const board = createImage({ width: 1000, height: 1000 });
    for (let i = 0; i < 1e6; i++) board.data.fill((i % 1000 + Math.floor(i / 1000)) % 2, 3 * i, 3 * i + 3);
    await write("images/board.png", await encodePng(board));
    const box = { left: -100, top: 100, width: 700, height: 700, score: 1 };
    await write("detections/board.json", JSON.stringify({ width: 1000, height: 1000, faces: [box], found: 1 }));
    const images = importPhotographs(sourceFolder(`${folder}/images`));
    const detections = cast(sourceFolder(`${folder}/detections`), "detections");
    const { trees: { aligned } } = await run({ aligned: alignFaces({ images, detections }) });
    const { image } = await decodePhotograph(await aligned.bytes("board/0.png"));
    const { transform } = await aligned.json<AlignedFace>("board/0.json");
    const border = transform.x; // the photograph's left edge in the crop
    assert(border > 40);
    for (let x = 0; x < 224; x++) {
      const value = image.data[3 * (112 * 224 + x)]!;
      if (x < border - 2) assert.equal(value, 0);
      if (x > border + 2) assert(Math.abs(value - 0.5) < 0.02, `column ${x}: ${value}`);
    }
  }));

Deno.test("align names the face whose box is no place", () =>
  withScratch(async ({ folder, write, run }) => {
    const image = createImage({ width: 64, height: 48 });
    const box = { left: 10, top: 10, width: 20, height: 20, score: 1 };
    for (const [name, bad] of [["empty", { ...box, width: 0 }], ["nowhere", { ...box, left: null }]] as const) {
      await write(`${name}/images/a.png`, await encodePng(image));
      await write(`${name}/found/a.json`, JSON.stringify({ width: 64, height: 48, faces: [box, bad], found: 2 }));
      const images = importPhotographs(sourceFolder(`${folder}/${name}/images`));
      const detections = cast(sourceFolder(`${folder}/${name}/found`), "detections");
      await assert.rejects(run({ aligned: alignFaces({ images, detections }) }), /align.* a\/1: cannot crop a face/);
    }
  }));

Deno.test("a crop goes back to where it came from", () => {
  const photograph = createImage({ width: 300, height: 260 });
  for (let i = 0; i < 300 * 260; i++) {
    const value = 0.5 + 0.5 * Math.sin((i % 300) / 15) * Math.cos(Math.floor(i / 300) / 12);
    photograph.data.fill(value, 3 * i, 3 * i + 3);
  }
  const transform = decaCrop({ left: 60, top: 40, width: 120, height: 160 }, { photograph });
  const crop = resampleCpu(photograph, { box: cropInPhotograph(transform), width: 224, height: 224, border: "zero" });
  const back = resampleCpu(crop, { box: photographInCrop(transform), width: 300, height: 260, border: "zero" });
  let worst = 0;
  for (let y = 0; y < 260; y++) {
    for (let x = 0; x < 300; x++) {
      const at = toCrop(transform, { x: x + 0.5, y: y + 0.5 });
      const [u, v] = [at.x, at.y];
      const i = 3 * (y * 300 + x);
      if (Math.min(u, v) > 3 && Math.max(u, v) < 221) {
        worst = Math.max(worst, Math.abs(back.data[i]! - photograph.data[i]!));
      }
      if (Math.min(u, v) < -3 || Math.max(u, v) > 227) assert.equal(back.data[i], 0);
    }
  }
  assert(worst < 0.01, `${worst}`);
});
