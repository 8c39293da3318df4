import assert from "node:assert/strict";
import sharp from "sharp";
import { quarterTurned } from "../../face/quarter_turn.ts";

Deno.test("quarterTurned() turns clockwise, as sharp does, and four quarters are none", async () => {
  const [width, height] = [5, 3];
  const bytes = Uint8Array.from({ length: 3 * width * height }, (_, i) => 7 * i % 251);
  for (const turns of [0, 1, 2, 3, 4, -1]) {
    const turned = quarterTurned({ width, height, data: bytes }, turns);
    const raw = { width, height, channels: 3 as const };
    const { data, info } = await sharp(bytes, { raw }).rotate(90 * turns).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([turned.width, turned.height], [info.width, info.height], `${turns}`);
    assert.deepEqual(turned.data, new Uint8Array(data), `${turns}`);
  }
});
