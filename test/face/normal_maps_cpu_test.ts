import assert from "node:assert/strict";
import { ambientLight } from "./ambient_light.ts";
import { shadingMap } from "../../face/normal_maps_cpu.ts";
import { gridHead, maxDifference, posedHead } from "./head.ts";

const { topology, model } = gridHead(21);
const posed = (yaw: number) => posedHead(yaw, model);

Deno.test("shadingMap is 1 in ambient light and brighter on the lit side", () => {
  const ambient = shadingMap(posed(20), { light: ambientLight(), topology, size: 64 });
  assert.ok(maxDifference(ambient, new Float32Array(ambient.length).fill(1)) < 1e-5);
  const light = ambientLight();
  light.fill(0.5, 3, 6);
  const lit = shadingMap(posed(0), { light, topology, size: 64 });
  const at = (x: number) => lit[3 * (32 * 64 + x)]!;
  assert.ok(at(56) > 1.2 && at(8) < 0.8, `${at(8)} ${at(56)}`);
});
