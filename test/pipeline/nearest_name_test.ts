import assert from "node:assert/strict";
import { nearestName } from "../../pipeline/mod.ts";

Deno.test("nearestName finds a mistyped id and nothing for a strange one", () => {
  const ids = ["models/facemesh.bin", "models/faceres.bin", "test/sample1.jpg"];
  assert.equal(nearestName("model/facemesh.bin", ids), "models/facemesh.bin");
  assert.equal(nearestName("test/sampel1.jpg", ids), "test/sample1.jpg");
  assert.equal(nearestName("trian", ["table1", "train"]), "train");
  assert.equal(nearestName("far", ["near"]), null, "a short name must not differ in most of its letters");
  assert.equal(nearestName("zzzzzzzzzzz", ids), null);
});
