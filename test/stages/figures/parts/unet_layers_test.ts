import assert from "node:assert/strict";
import { ftimParameters } from "../../../../nets/ftim.ts";
import { ftimPrintedParameters } from "../../../../nets/ftim_printed.ts";
import { unetLayers } from "../../../../stages/figures/parts/unet_layers.ts";

const SHAPE = { widths: [4, 6, 8], fullWidth: 5, codeLength: 7 };

Deno.test("the layers of a network are those of its parameters, whatever their order", () => {
  const parameters = ftimPrintedParameters(SHAPE);
  const sorted = Object.fromEntries(Object.entries(parameters).sort(([a], [b]) => a < b ? -1 : 1));
  for (const given of [parameters, sorted]) {
    const { layers, codeLength, kernels } = unetLayers(given, { side: 64 });
    assert.deepEqual(
      layers.map(({ name, side, channels, skip }) => [name, side, channels, ...skip === undefined ? [] : [skip]]),
      [
        ["maps", 64, 6],
        ["down0", 32, 4],
        ["down1", 16, 6],
        ["down2", 8, 8],
        ["latent", 8, 8],
        ["up1", 16, 6, "down1"],
        ["up0", 32, 4, "down0"],
        ["full", 64, 5, "maps"],
        ["output", 64, 3],
      ],
    );
    assert.deepEqual([codeLength, [...kernels]], [7, [3]]);
  }
  assert.equal(unetLayers(ftimParameters(SHAPE), { side: 64 }).layers[0]!.channels, 12);
});

Deno.test("a network that is built otherwise is refused, not drawn wrongly", () => {
  const parameters = ftimPrintedParameters(SHAPE);
  const { "up0.skip": _, ...lacking } = parameters;
  const draw = (changed: Parameters<typeof unetLayers>[0]) => () => unetLayers(changed, { side: 64 });
  assert.throws(draw(lacking), /"up0\.skip" has shape \[undefined\]/);
  assert.throws(draw({ ...parameters, "attention.weight": { shape: [8, 8] } }), /no layer has .* attention\.weight/);
  assert.throws(
    draw({ ...parameters, "down1.weight": { shape: [3, 3, 9, 6] } }),
    /"down1\.weight" reads 9 channels, and 4/,
  );
  assert.throws(draw({ ...parameters, "code.weight": { shape: [7, 9] } }), /"code\.weight" reads 9 channels, and 8/);
});
