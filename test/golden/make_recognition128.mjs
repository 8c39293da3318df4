// Writes recognition128.json beside this script: descriptors that face-api.js itself gives for two images made by formula.
// In an empty folder with a copy of this script:
//   npm i @vladmandic/face-api@1.7.15 @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 && node make_recognition128.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const path = require.resolve("@vladmandic/face-api/dist/face-api.node-wasm.js");
const faceapi = require(path);
await faceapi.tf.setBackend("cpu");
await faceapi.tf.ready();

const folder = path.replace(/dist\/[^/]*$/, "model/");
const manifest = JSON.parse(readFileSync(folder + "face_recognition_model-weights_manifest.json", "utf8"));
const bin = readFileSync(folder + "face_recognition_model.bin");
const weights = faceapi.tf.io.decodeWeights(new Uint8Array(bin).buffer, manifest[0].weights);
faceapi.nets.faceRecognitionNet.loadFromWeightMap(weights);

const descriptors = [];
for (const phase of [0, 1]) {
  const pixels = Float32Array.from({ length: 150 * 150 * 3 }, (_, i) => pattern(i, phase) * 255);
  const image = faceapi.tf.tensor3d(pixels, [150, 150, 3]);
  const descriptor = await faceapi.nets.faceRecognitionNet.computeFaceDescriptor(image);
  descriptors.push(Array.from(descriptor, (value) => Number(value.toPrecision(7))));
}
writeFileSync(new URL("recognition128.json", import.meta.url), JSON.stringify(descriptors, null, 2) + "\n");

// Smooth waves with a different frequency in each channel, 0..1. The test has the same formula.
function pattern(i, phase) {
  const [channel, x, y] = [i % 3, Math.floor(i / 3) % 150, Math.floor(i / 450)];
  return 0.5 + 0.25 * Math.sin(x / (9 + channel) + phase) + 0.25 * Math.cos(y / (7 + 2 * channel) - 2 * phase);
}
