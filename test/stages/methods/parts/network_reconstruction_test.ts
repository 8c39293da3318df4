import type { Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import { ftimParameters } from "../../../../nets/ftim.ts";
import { type FaceMaps, ftimInput } from "../../../../nets/ftim_input.ts";
import { drawParameters, toVariables } from "../../../../nets/parameters.ts";
import { ftimModel } from "../../../../nets/ftim.ts";
import { encodeNetwork } from "../../../../stages/training/parts/network_file.ts";
import { openNetwork, type TextureNetwork } from "../../../../stages/methods/parts/network_reconstruction.ts";
import { ftimStoredShape } from "../../../../stages/training/train.ts";
import { randomStream } from "../../../face/head.ts";

const side = 16;
const shape = ftimStoredShape.parse({ widths: [8, 8], fullWidth: 8, codeLength: 5 });

/** A face with its template. */
interface Face extends FaceMaps {
  readonly albedo: Float32Array;
  readonly shading: Float32Array;
}

function maps(seed: number): Face {
  const next = randomStream(seed);
  const draw = (length: number, low = 0) => Float32Array.from({ length }, () => low + (1 - low) * next());
  const bytes = (length: number) => Uint8Array.from({ length }, () => 256 * next());
  return {
    texture: bytes(3 * side * side),
    visibility: bytes(side * side).map((value) => value < 128 ? 0 : 255),
    shading: draw(3 * side * side, 0.5),
    albedo: draw(3 * side * side),
    guess: bytes(3 * side * side),
    code: draw(5),
  };
}

async function inputOf(faces: readonly Face[]) {
  const tf = await openTfjs();
  const stack = (maps: (face: Face) => Float32Array) =>
    tf.stack(faces.map((face) => tf.tensor3d(maps(face), [side, side, 3]))) as Tensor4D;
  return ftimInput(tf, faces, { albedo: stack(({ albedo }) => albedo), shading: stack(({ shading }) => shading) });
}

interface Maps {
  texture: Float32Array;
  albedo: Float32Array;
}

/** What a network makes of some faces, in memory. */
async function complete(network: TextureNetwork, faces: readonly Face[]): Promise<Maps[]> {
  const tf = await openTfjs();
  const input = await inputOf(faces);
  const made = network.complete(input);
  const [texture, albedo] = await Promise.all([made.texture.data<"float32">(), made.albedo.data<"float32">()]);
  tf.dispose([...Object.values(input), made.texture, made.albedo]);
  const length = texture.length / faces.length;
  const one = (values: Float32Array, i: number) => values.slice(i * length, (i + 1) * length);
  return faces.map((_, i) => ({ texture: one(texture, i), albedo: one(albedo, i) }));
}

Deno.test("an untrained FTIM gives the first guess; its albedo differs by the light on the template", async () => {
  const tf = await openTfjs();
  const network = await openNetwork(
    encodeNetwork(drawParameters(ftimParameters(shape), 1), shape),
    (tf, shape) => ftimModel(tf, ftimStoredShape.parse(shape)),
  );
  const face = maps(1);
  const [{ texture, albedo }] = await complete(network, [face]) as [Maps];
  for (let i = 0; i < texture.length; i++) {
    const template = face.albedo[i]! * face.shading[i]!;
    const guess = face.guess[i]! / 255;
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

Deno.test("a network that went through its file computes what it computed before, alone and in a batch", async () => {
  const tf = await openTfjs();
  const specs = Object.fromEntries(
    Object.entries(ftimParameters(shape)).map(([name, spec]) => [name, { ...spec, fan: 9, gain: 1 }]),
  );
  const parameters = drawParameters(specs, 2);
  const face = maps(2);
  const model = ftimModel(tf, shape);
  const direct = model.albedo(toVariables(tf, parameters), await inputOf([face]));
  const network = await openNetwork(encodeNetwork(parameters, shape), (tf, stored) => {
    assert.deepEqual(stored, shape);
    return ftimModel(tf, ftimStoredShape.parse(stored));
  });
  assert.deepEqual((await complete(network, [face]))[0]!.albedo, await direct.data());
  const some = [face, maps(3), maps(4), maps(5), maps(6)];
  const together = await complete(network, some);
  for (const [i, one] of some.entries()) assert.deepEqual((await complete(network, [one]))[0], together[i]);
  network.dispose();
});

Deno.test("a file of another network is refused by the parameter's name", async () => {
  const bytes = encodeNetwork(drawParameters(ftimParameters(shape), 1), shape);
  await assert.rejects(openNetwork(bytes, (tf) => ftimModel(tf, { ...shape, widths: [8, 16] })), /"down1\.weight"/);
});
