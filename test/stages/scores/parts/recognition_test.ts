import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import type { Tree } from "@ftim/pipeline";
import { openRecognition } from "../../../../stages/scores/parts/recognition.ts";
import { asset } from "../../../assets.ts";
import { noise } from "../../../nets/inputs.ts";
import { posed } from "../../face_lab.ts";

const files = ["models/faceres.json", "models/faceres.bin"];
const recognition = { paths: files, bytes: asset } as Pick<Tree, "paths" | "bytes"> as Tree;
const topology = { paths: ["models/facemeshcoords.ts"] } as Pick<Tree, "paths"> as Tree;

Deno.test("an embedding has the same bits alone and among others; it is of its own face, mask and all", async () => {
  const tf = await openTfjs();
  const networks = await openRecognition({ recognition, topology });
  const picture = noise({ width: 224, height: 224, seed: 1 });
  const mask = Float32Array.from({ length: 224 ** 2 }, (_, i) => i % 224 < 112 ? 1 : 0);
  const outside = { ...picture, data: picture.data.map((value, i) => Math.floor(i / 3) % 224 < 112 ? value : 0.9) };
  const [here, there] = [posed(0), posed(40).map((value) => 0.8 * value)];
  const looks = [
    { picture, vertices: here },
    { picture, vertices: here, mask },
    { picture: outside, vertices: here, mask },
    { picture, vertices: there },
    { picture: outside, vertices: there },
  ];
  const before = tf.memory().numTensors;
  const together = await networks.embed(looks);
  assert.equal(tf.memory().numTensors, before, "tensors leak");
  assert.ok(together.every((vector) => vector.length === 1024));
  for (const [i, look] of looks.entries()) assert.deepEqual(await networks.embed([look]), [together[i]]);
  assert.deepEqual(together[1], together[2]);
  assert.notDeepEqual(together[0], together[1]);
  assert.notDeepEqual(together[0], together[3]);
  assert.deepEqual(await networks.embed([]), []);
  const small = { picture: noise({ width: 9, height: 9, seed: 1 }), vertices: here };
  await assert.rejects(networks.embed([looks[0]!, small]), /224×224 and 9×9/);
  await networks.dispose();
});
