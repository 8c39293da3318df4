/**
 * The paper's own networks with drawn weights in the real shapes: DECA's and Deng's encoders with what share of the
 * adapter's peak they reach, DECA's regressor from photographs to heads, the networks of Tran and Chen from crops to
 * faces, FaceNet there and back, and MTCNN, whose weights are the trained ones.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { decaLandmarkCrop } from "../../face/deca_landmark_crop.ts";
import { openChenRegressor } from "../../nets/chen_regressor.ts";
import { openDecaEncoder } from "../../nets/deca_encoder.ts";
import { openDecaRegressor } from "../../nets/deca_regressor.ts";
import { openDengEncoder } from "../../nets/deng_encoder.ts";
import { FACENET_SIZE, openFacenet } from "../../nets/facenet.ts";
import { bytesSource } from "../../nets/files/source.ts";
import { openMtcnn } from "../../nets/mtcnn.ts";
import { encodeSafetensors } from "../../nets/safetensors.ts";
import { openTranRegressor } from "../../nets/tran_regressor.ts";
import { decodePixels } from "../../stages/faces/photograph.ts";
import { asset } from "../../test/assets.ts";
import chen from "../../test/golden/chen.json" with { type: "json" };
import { drawnChenModel } from "../../test/golden/chen_drawn.ts";
import { drawnCheckpoint, drawnFaces, drawnState } from "../../test/golden/drawn.ts";
import facenet from "../../test/golden/facenet.json" with { type: "json" };
import { drawnFlame, drawnTemplate } from "../../test/golden/flame_drawn.ts";
import resnet50 from "../../test/golden/resnet50.json" with { type: "json" };
import tran from "../../test/golden/tran.json" with { type: "json" };
import { folderOf, tranFiles } from "../../test/golden/tran_drawn.ts";
import { checkpoint } from "../../test/nets/files/checkpoint_writer.ts";
import { type Lab, rounded, type Row, time } from "./lab.ts";

const FACES = 8;
/** Multiply-adds of ResNet-50 on 224², times two; the heads are next to nothing. */
const GFLOP = 8.18;
/** The same of VGG-Face up to fc7. */
const VGG_GFLOP = 30.9;

const source = (tensors: Parameters<typeof encodeSafetensors>[0]) => bytesSource(encodeSafetensors(tensors));
const zeros = (shape: readonly number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

/** One row a network. */
export async function benchPaperNetworks(lab: Lab): Promise<Row[]> {
  const { tf } = lab;
  const rows: Row[] = [];
  const note = (work: string, { ms, gflop }: { ms: number; gflop?: number }) => {
    const share = gflop === undefined ? {} : { "share of peak": rounded(gflop * FACES / ms * 1000 / lab.peak) };
    rows.push({ work, "ours ms": rounded(ms), "faces a second": rounded(FACES / ms * 1000), ...share });
  };
  const weights = { ...drawnState(resnet50.deca.tensors), "E_detail.layers.2.weight": zeros([128, 1024]) };
  const crops = tf.tensor4d(drawnFaces(FACES, 224), [FACES, 224, 224, 3]);
  const deca = await openDecaEncoder(source(weights));
  note("DECA's encoder", { ms: await time(lab, () => deca.encode(crops)), gflop: GFLOP });
  deca.dispose();
  const deng = await openDengEncoder(source(drawnState(resnet50.deng.tensors)));
  note("Deng's encoder", { ms: await time(lab, () => first(lab, deng.encode(crops))), gflop: GFLOP });
  deng.dispose();

  const landmarks = new URL("../../test/golden/files/landmark_embedding.npy", import.meta.url);
  const regressor = await openDecaRegressor({
    encoder: source(weights),
    flame: source(drawnFlame()),
    landmarks: bytesSource(await Deno.readFile(landmarks)),
    template: drawnTemplate(),
  });
  const image = {
    width: 640,
    height: 480,
    data: Uint8Array.from(drawnFaces(1, 640).subarray(0, 3 * 640 * 480), (v) => 255 * v),
  };
  const photographs = Array.from({ length: FACES }, (_, i) => {
    const points = [100 + 10 * i, 80, 300, 90, 200, 330];
    return { image, transform: decaLandmarkCrop(points, { photograph: image }) };
  });
  const regressed = () =>
    tf.tidy(() => {
      const faces = regressor.regress(photographs);
      return regressor.toChart(faces.posed);
    });
  note("DECA's regressor: photographs to heads in the chart", { ms: await time(lab, regressed) });
  regressor.dispose();

  const tranRegressor = await openTranRegressor({
    network: checkpoint(drawnCheckpoint(tran.parts.tensors), "tran"),
    definition: folderOf(tranFiles()),
  });
  note("Tran's networks and a small mesh: crops to faces", {
    ms: await time(lab, () => first(lab, tranRegressor.reconstruct(crops))),
  });
  tranRegressor.dispose();
  const large = tf.tensor4d(drawnFaces(FACES, 300), [FACES, 300, 300, 3]);
  const chenRegressor = await openChenRegressor({
    coarse: checkpoint(drawnCheckpoint(chen.coarse.tensors), "chen"),
    model: source(drawnChenModel()),
  });
  const coarse = () =>
    lab.tf.tidy(() => {
      const { code, ...faces } = chenRegressor.reconstruct(large);
      tf.dispose(code);
      return first(lab, faces);
    });
  note("Chen's coarse network and a small model: crops to faces", { ms: await time(lab, coarse), gflop: VGG_GFLOP });
  chenRegressor.dispose();
  large.dispose();

  const network = await openFacenet(source({ ...drawnState(facenet.tensors), "logits.weight": zeros([8631, 512]) }));
  const small = tf.tensor4d(drawnFaces(FACES, FACENET_SIZE), [FACES, FACENET_SIZE, FACENET_SIZE, 3]);
  note("FaceNet", { ms: await time(lab, () => network.embed(small)) });
  const gradient = () => tf.tidy(() => tf.grad((x) => tf.sum(network.embed(x as Tensor4D)))(small));
  note("FaceNet with the gradient of the picture", { ms: await time(lab, gradient) });
  network.dispose();
  tf.dispose([crops, small]);
  rows.push(await benchMtcnn());
  return rows;
}

/** MTCNN waits for each of its networks, so a clock on the wall is what there is. */
async function benchMtcnn(): Promise<Row> {
  const file = async (name: string) => bytesSource(await asset(`mtcnn/${name}`), name);
  const files = { first: await file("pnet.pt"), second: await file("rnet.pt"), third: await file("onet.pt") };
  const mtcnn = await openMtcnn(files);
  const { image } = await decodePixels(await asset("test/sample1.jpg"), { maxSide: 640 });
  const faces = (await mtcnn.detect(image)).length;
  let least = Infinity;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    await mtcnn.detect(image);
    least = Math.min(least, performance.now() - start);
  }
  mtcnn.dispose();
  return {
    work: `MTCNN, a photograph of ${image.width}×${image.height}`,
    "ours ms": rounded(least),
    "faces a second": rounded(faces / least * 1000),
  };
}

/** One of several tensors; the others are freed. */
function first({ tf }: Lab, tensors: Readonly<Record<string, Tensor>>): Tensor {
  const [kept, ...others] = Object.values(tensors);
  tf.dispose(others);
  return kept!;
}
