import assert from "node:assert/strict";
import { openTensors } from "../../../nets/files/open_tensors.ts";
import { contentsOf, GOLDEN, golden } from "./golden.ts";

for (const [name, expected] of Object.entries(GOLDEN)) {
  Deno.test(`openTensors() reads ${name} as its own library wrote it`, async () => {
    const contents = await contentsOf(await openTensors(golden(name)));
    assert.deepEqual(Object.keys(contents).sort(), Object.keys(expected).sort());
    for (const [key, told] of Object.entries(expected)) assert.deepEqual(contents[key], told, key);
  });
}
