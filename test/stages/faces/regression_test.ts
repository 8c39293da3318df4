import assert from "node:assert/strict";
import { type Tree } from "@ftim/pipeline";
import { encodeRegression, readRegression } from "../../../stages/faces/regression.ts";

Deno.test("a regression survives its file, and a file that lacks a tensor says which", async () => {
  const floats = (...values: number[]) => Float32Array.from(values);
  const regression = {
    vertices: floats(1, 2, 3, 4, 5, 6),
    identity: floats(0.5, -1),
    expression: floats(0.25),
    angles: { yaw: -31.5, pitch: 4.25, roll: 170 },
    light: new Float32Array(27).fill(0.1),
    albedo: floats(1, 2, 3),
  };
  const tree = (bytes: Uint8Array) => ({ bytes: () => Promise.resolve(bytes) }) as unknown as Tree;
  assert.deepEqual(await readRegression(tree(encodeRegression(regression)), "a"), regression);
  const { light: _, ...rest } = regression;
  const lacking = encodeRegression(rest as typeof regression);
  await assert.rejects(readRegression(tree(lacking), "a"), /a\.safetensors holds no "light"/);
});
