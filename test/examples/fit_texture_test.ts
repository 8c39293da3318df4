import assert from "node:assert/strict";
import { fitTexture } from "../../examples/fit_texture.ts";

Deno.test("examples/fit_texture.ts: the difference of the images falls, and the texels seen gain 20 dB", async () => {
  const errors: number[] = [];
  const { before, after } = await fitTexture({ steps: 61, report: (_, error) => errors.push(error) });
  assert.equal(errors.length, 7);
  for (let i = 1; i < errors.length; i++) assert.ok(errors[i]! < errors[i - 1]!, `${errors}`);
  assert.ok(errors[6]! < errors[0]! / 20, `${errors}`);
  assert.ok(after > before + 20, `${before} dB before, ${after} dB after`);
});
