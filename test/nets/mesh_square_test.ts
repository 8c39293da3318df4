import assert from "node:assert/strict";
import { meshSquare } from "../../nets/mesh_square.ts";

Deno.test("meshSquare() is centred on the mesh and as long as its longer side times the margin", () => {
  const square = meshSquare(Float32Array.of(10, 20, 5, 30, 60, -3, 20, 40, 0), 1.5);
  assert.deepEqual(square, { left: -10, top: 10, width: 60, height: 60 });
});
