import assert from "node:assert/strict";
import { chenCrop } from "../../face/chen_crop.ts";
import { cropInPhotograph, decaCrop, FaceCropError, toCrop } from "../../face/crop.ts";
import { decaLandmarkCrop } from "../../face/deca_landmark_crop.ts";
import { landmarkBox } from "../../face/landmark_box.ts";
import { tranCrop, tranFrame } from "../../face/tran_crop.ts";
import { readTranDefinition } from "../../nets/tran_definition.ts";
import { folderOf, tranFiles } from "../golden/tran_drawn.ts";

const photograph = { width: 640, height: 480 };
const near = (a: number, b: number, within = 1e-9) => assert.ok(Math.abs(a - b) <= within, `${a} is not ${b}`);

Deno.test("chenCrop() cuts out what process_image_landmark cuts out", () => {
  // by hand: half = max(80, 90), centre (150, 160), from int(70.5) to int(250.5) down, from int(60.5) across
  const crop = chenCrop({ left: 100, top: 100, width: 100, height: 150 }, { photograph });
  assert.deepEqual(cropInPhotograph(crop), { left: 60, top: 70, width: 180, height: 180 });
  // beyond the photograph Python cuts toward 0: c = (52, 53), half = 83.2, int(−30.7), int(136.7) − int(−29.7)
  const { left, top, height } = cropInPhotograph(
    chenCrop({ left: 0, top: 1, width: 104, height: 130 }, { photograph }),
  );
  near(left, -30);
  near(top, -29);
  near(height, 165);
  assert.throws(() => chenCrop({ left: 0, top: 0, width: 0, height: 9 }, { photograph }), FaceCropError);
});

Deno.test("landmarkBox() makes DECA's two crops the same", () => {
  const box = { left: 200, top: 120, width: 160, height: 160 };
  const { left, top, width, height } = landmarkBox(box);
  const points = [left, top, left + width, top + height];
  const [one, other] = [decaCrop(box, { photograph }), decaLandmarkCrop(points, { photograph })];
  near(one.scale, other.scale);
  near(one.x, other.x, 1e-6);
  near(one.y, other.y, 1e-6);
});

Deno.test("tranCrop() puts landmarks where the mean camera has the mean face's", async () => {
  const model = await readTranDefinition(folderOf(tranFiles()));
  const frame = tranFrame(model);
  const landmarks = { left: 111, top: 57, width: 130, height: 2 * frame.height };
  const crop = tranCrop(landmarks, { frame, photograph });
  near(crop.scale, 0.5);
  const [upper, lower] = [
    toCrop(crop, { x: 111 + 65, y: 57 }),
    toCrop(crop, { x: 111 + 65, y: 57 + landmarks.height }),
  ];
  near(upper.x, frame.left + frame.width / 2);
  near(upper.y, frame.top);
  near(lower.y, frame.top + frame.height);
  assert.throws(() => tranCrop({ ...landmarks, height: 0 }, { frame, photograph }), FaceCropError);
});

Deno.test("tranFrame() is the box of the projected landmarks, 16 pixels in", async () => {
  const model = await readTranDefinition(folderOf(tranFiles()));
  const { mean, camera: { mean: m } } = model;
  const one = { ...model, landmarks: Int32Array.of(5) };
  const [x, y, z] = mean.subarray(15, 18) as unknown as [number, number, number];
  const { left, top, width, height } = tranFrame(one);
  near(left, m[0]! * x + m[2]! * y + m[4]! * z + m[6]! - 0.5 - 16, 1e-3);
  near(top, 256 - (m[1]! * x + m[3]! * y + m[5]! * z + m[7]!) + 0.5 - 16, 1e-3);
  assert.deepEqual([width, height], [0, 0]);
});
