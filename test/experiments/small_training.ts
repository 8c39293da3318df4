/** A small training for tests: a drawn network, a model of a few domes, a correction that corrects little. */
import { openTfjs } from "@ftim/gpu/tfjs";
import { fitMorphable } from "../../face/fit_morphable.ts";
import { encodeCorrection, noCorrection } from "../../face/mesh_correction.ts";
import { encodeMorphable } from "../../face/morphable.ts";
import { ftimParameters } from "../../nets/ftim.ts";
import { drawParameters } from "../../nets/parameters.ts";
import { encodeSafetensors } from "../../nets/safetensors.ts";
import { cast, publish, sourceFolder } from "@ftim/pipeline";
import { encodeNetwork } from "../../stages/training/parts/network_file.ts";
import { ftimStoredShape } from "../../stages/training/train.ts";
import { packTrained } from "../../stages/training/trained.ts";
import { dome, posed, topology } from "../stages/face_lab.ts";
import { type Scratch, withScratch } from "../stages/scratch.ts";

const shape = ftimStoredShape.parse({ widths: [8, 8], fullWidth: 8, codeLength: 5 });

let packed: Promise<Uint8Array> | undefined;

/** The bytes of the packed training; made once for all tests of a file. */
export function smallTraining(): Promise<Uint8Array> {
  return packed ??= pack();
}

async function pack(): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  await withScratch(async (scratch) => {
    bytes = await Deno.readFile(`${await unpackedTraining(scratch)}/trained.safetensors`);
  });
  return bytes!;
}

/** Writes a training and packs it: the folder of the packed file. What it was packed from is beside it. */
export async function unpackedTraining({ folder, write, run }: Scratch): Promise<string> {
  const faces = [0.8, 1, 1.2].flatMap((depth, person) =>
    [0.97, 1.03].map((width) => ({ identity: `${person}`, vertices: posed(0, dome({ depth, width })) }))
  );
  const albedo = (tone: number) =>
    Float32Array.from(
      { length: 3 * 256 * 256 },
      (_, i) => tone * [0.8, 0.6, 0.5][i % 3]! + 0.05 * Math.sin(i * tone / 5e4),
    );
  const model = await fitMorphable(await openTfjs(), faces, {
    albedos: [0.7, 0.9, 1.1].map(albedo),
    components: { identities: 2, expressions: 2, albedos: 2 },
    topology,
  });
  await write("weights/network.safetensors", encodeNetwork(drawParameters(ftimParameters(shape), 1), shape));
  await write("model/model.safetensors", encodeSafetensors(encodeMorphable(model)));
  const correction = encodeCorrection(noCorrection(model.mean));
  correction.coefficients.data.fill(1e-3);
  await write("correction/correction.safetensors", encodeSafetensors(correction, { ridge: "3" }));
  const { trees } = await run({
    trained: packTrained({
      weights: cast(sourceFolder(`${folder}/weights`), "weights"),
      model: cast(sourceFolder(`${folder}/model`), "model"),
      correction: cast(sourceFolder(`${folder}/correction`), "correction"),
    }),
  });
  await publish(trees.trained, `${folder}/results/embedded`);
  return `${folder}/results/embedded`;
}
