import assert from "node:assert/strict";
import { createImage } from "../../face/image.ts";
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { unwrap } from "../../face/unwrap.ts";
import { unwrapCpu } from "../../face/unwrap_cpu.ts";
import type { Unwrapping } from "../../face/unwrap_options.ts";
import { openGpu } from "@ftim/gpu/device";
import { facePart } from "../../face/face_part.ts";
import { cutHead, gathered } from "./cut_head.ts";
import { gridHead, randomStream } from "./head.ts";

const whole = gridHead(25);
/** A head whose chart has a seam, cut off at the left of the chart. */
const cut = (() => {
  const { mesh, model } = cutHead(25);
  const values = Array.from({ length: 64 }, (_, i) => i % 8 < 6 ? 1 : 0);
  const { topology, vertices } = facePart(mesh, { size: 8, values });
  return { topology, model: gathered(model, vertices) };
})();

function face(
  yaw: number,
  { width, height, seed, model = whole.model }: { width: number; height: number; seed: number; model?: Float32Array },
): Unwrapping {
  const random = randomStream(seed);
  const rotation = rotationFromAngles({ yaw, pitch: 6, roll: -4 });
  const translation = Float64Array.of(width / 2, -height / 2, 0);
  return {
    image: createImage({ width, height }, Float32Array.from({ length: 3 * width * height }, random)),
    vertices: poseToCrop({ scale: 0.36 * height, rotation, translation }, model),
  };
}

for (
  const { size, head: { topology, model } = whole, ...options } of [
    { size: 64 },
    { size: 64, head: cut },
    { size: 33, erode: 0, outline: 0 },
    { size: 48, erode: 2, outline: 0.05, facing: [0.1, 0.3] as const },
  ]
) {
  const of = topology === cut.topology ? " of a part with a seam" : "";
  Deno.test(`unwrap() is unwrapCpu()${of}: ${JSON.stringify({ size, ...options })}`, async () => {
    const gpu = await openGpu();
    const shape = { width: 97, height: 90 };
    const faces = [-70, -20, 0, 45].map((yaw, i) => face(yaw, { ...shape, seed: i + 1, model }));
    faces[2] = { ...faces[2]!, bounds: { left: 10.5, top: 0, width: 60, height: 70 } };
    const found = await unwrap(gpu, faces, { topology, size, ...options });
    for (const [i, expected] of unwrapCpu(faces, { topology, size, ...options }).entries()) {
      const { texture, visibility } = found[i]!;
      assert.ok(expected.visibility.filter((seen) => seen > 0.5).length > 0.1 * size * size);
      const far = (a: Float32Array, b: Float32Array, by: number) =>
        a.filter((value, k) => !(Math.abs(value - b[k]!) < by)).length / a.length;
      // A sample more or less where a texel is just so many pixels long, and a depth or a border that is decided the
      // other way.
      assert.ok(far(texture, expected.texture, 1e-4) < 5e-3, `texture of ${i}`);
      assert.ok(far(visibility, expected.visibility, 1e-3) < 1e-2, `visibility of ${i}`);
    }
    assert.deepEqual(await unwrap(gpu, faces, { topology, size, ...options }), found);
    assert.deepEqual(await unwrap(gpu, faces.slice(3), { topology, size, ...options }), found.slice(3));
  });
}

const { topology } = whole;

Deno.test("unwrap() takes nothing, and refuses images of two sizes", async () => {
  const gpu = await openGpu();
  assert.deepEqual(await unwrap(gpu, [], { topology }), []);
  const faces = [40, 50].map((width) => face(0, { width, height: 40, seed: 1 }));
  await assert.rejects(unwrap(gpu, faces, { topology }), /different sizes/);
});

Deno.test("unwrap() splits what one texture array cannot hold", async () => {
  const gpu = await openGpu();
  const faces = [-30, 0, 30].map((yaw, i) => face(yaw, { width: 50, height: 44, seed: i + 1 }));
  const limits = { ...gpu.device.limits, maxTextureArrayLayers: 3 };
  const device = new Proxy(gpu.device, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target);
      return name === "limits" ? limits : typeof value === "function" ? value.bind(target) : value;
    },
  });
  const together = await unwrap(gpu, faces, { topology, size: 32 });
  assert.deepEqual(await unwrap({ ...gpu, device }, faces, { topology, size: 32 }), together);
});
