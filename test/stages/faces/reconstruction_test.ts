/** Writing reconstructions, and running stored networks. */
import assert from "node:assert/strict";
import { applyOperatorCpu } from "../../../face/render.ts";
import { openTfjs } from "@ftim/gpu/tfjs";
import { ftimParameters } from "../../../nets/ftim.ts";
import type { FaceMaps } from "../../../nets/ftim_input.ts";
import { ftimInput } from "../../../nets/ftim_input.ts";
import { drawParameters, toVariables } from "../../../nets/parameters.ts";
import { ftimModel } from "../../../nets/ftim.ts";
import type { Tree, Writer } from "@ftim/pipeline";
import { encodeNetwork } from "../../../stages/training/parts/network_file.ts";
import { openNetwork } from "../../../stages/methods/parts/network_reconstruction.ts";
import { decodePhotograph, encodePng } from "../../../stages/faces/photograph.ts";
import { writeReconstruction } from "../../../stages/faces/reconstruction.ts";
import { ftimStoredShape } from "../../../stages/training/train.ts";
import { maxDifference, randomStream } from "../../face/head.ts";
import { CROP, makeFace, SIZE, topology } from "../face_lab.ts";

const byte = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value))) / 255;

Deno.test("writeReconstruction() renders the texture over the crop and leaves every other pixel as it is", async () => {
  const { vertices, operator } = makeFace({ yaw: 20 });
  const next = randomStream(3);
  const noise = (length: number, scale: number) => Float32Array.from({ length }, () => scale * (next() - 0.2));
  const crop = await encodePng({ width: CROP, height: CROP, data: noise(3 * CROP * CROP, 1) });
  const [texture, albedo] = [noise(3 * SIZE * SIZE, 1.6), noise(3 * SIZE * SIZE, 1.6)];
  const written = new Map<string, Uint8Array>();
  const out = { write: (path: string, bytes: Uint8Array) => void written.set(path, bytes) } as unknown as Writer;
  const crops = { bytes: () => Promise.resolve(crop) } as unknown as Tree;
  await writeReconstruction({ texture, albedo }, { key: "a/0", crops, out, vertices, topology });

  assert.deepEqual([...written.keys()].sort(), ["a/0.albedo.png", "a/0.render.png", "a/0.texture.png"]);
  const read = async (bytes: Uint8Array) => (await decodePhotograph(bytes, { maxSide: Infinity })).image.data;
  assert.ok(maxDifference(await read(written.get("a/0.texture.png")!), texture.map(byte)) < 1e-6);
  assert.ok(maxDifference(await read(written.get("a/0.albedo.png")!), albedo.map(byte)) < 1e-6);
  const [overlay, original] = [await read(written.get("a/0.render.png")!), await read(crop)];
  const render = applyOperatorCpu(operator, texture.map((value) => Math.min(1, Math.max(0, value))));
  let outside = 0;
  operator.coverage.forEach((coverage, pixel) => {
    for (let i = 3 * pixel; i < 3 * pixel + 3; i++) {
      if (coverage === 0) assert.equal(overlay[i], original[i]);
      else assert.ok(Math.abs(overlay[i]! - render[i]!) <= 0.5 / 255 + 1e-6);
    }
    if (coverage === 0) outside++;
  });
  assert.ok(outside > 10_000 && outside < 45_000);
});

const side = 16;
const shape = ftimStoredShape.parse({ widths: [8, 8], fullWidth: 8, codeLength: 5 });

function maps(seed: number): FaceMaps {
  const next = randomStream(seed);
  const draw = (length: number, low = 0) => Float32Array.from({ length }, () => low + (1 - low) * next());
  return {
    texture: draw(3 * side * side),
    visibility: draw(side * side).map(Math.round),
    shading: draw(3 * side * side, 0.5),
    albedo: draw(3 * side * side),
    guess: draw(3 * side * side),
    code: draw(5),
  };
}

Deno.test("an untrained FTIM gives the first guess; its albedo differs by the light on the template", async () => {
  const tf = await openTfjs();
  const network = await openNetwork(
    encodeNetwork(drawParameters(ftimParameters(shape), 1), shape),
    (tf, shape) => ftimModel(tf, ftimStoredShape.parse(shape)),
  );
  const face = maps(1);
  const { texture, albedo } = await network.complete(face);
  for (let i = 0; i < texture.length; i++) {
    const template = face.albedo[i]! * face.shading[i]!;
    const guess = face.guess[i]!;
    assert.ok(Math.abs(texture[i]! - guess) < 1e-5, `texel ${i}: ${texture[i]} for ${guess}`);
    assert.ok(Math.abs(albedo[i]! - (guess - template + face.albedo[i]!)) < 1e-5);
  }
  const before = tf.memory().numTensors;
  network.dispose();
  assert.equal(
    before - tf.memory().numTensors,
    Object.keys(ftimParameters(shape)).length,
    "dispose() frees the weights",
  );
});

Deno.test("a network that went through its file computes what it computed before", async () => {
  const tf = await openTfjs();
  const specs = Object.fromEntries(
    Object.entries(ftimParameters(shape)).map(([name, spec]) => [name, { ...spec, fan: 9, gain: 1 }]),
  );
  const parameters = drawParameters(specs, 2);
  const face = maps(2);
  const model = ftimModel(tf, shape);
  const direct = model.albedo(toVariables(tf, parameters), ftimInput(tf, [face]));
  const network = await openNetwork(encodeNetwork(parameters, shape), (tf, stored) => {
    assert.deepEqual(stored, shape);
    return ftimModel(tf, ftimStoredShape.parse(stored));
  });
  assert.deepEqual((await network.complete(face)).albedo, await direct.data());
  network.dispose();
});

Deno.test("a file of another network is refused by the parameter's name", async () => {
  const bytes = encodeNetwork(drawParameters(ftimParameters(shape), 1), shape);
  await assert.rejects(openNetwork(bytes, (tf) => ftimModel(tf, { ...shape, widths: [8, 16] })), /"down1\.weight"/);
});
