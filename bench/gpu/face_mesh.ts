/** The face mesh network in our passes beside tfjs's run of its graph, which has our convolutions too. */
import type { Tensor } from "@tensorflow/tfjs";
import { openGraphModel } from "../../nets/graph_model.ts";
import { openResidualNetwork } from "../../nets/residual_network.ts";
import { asset } from "../../test/assets.ts";
import { type Lab, rounded, type Row, time } from "./lab.ts";

const FACES = 16;
const SIZE = 192;

/** One row. */
export async function benchFaceMesh(lab: Lab): Promise<Row> {
  const { tf } = lab;
  const files = { model: await asset("models/facemesh.json"), weights: await asset("models/facemesh.bin") };
  const heads = ["StatefulPartitionedCall/model_1/conv2d_21/BiasAdd"];
  const network = openResidualNetwork(tf, files, { heads, size: SIZE });
  const graph = await openGraphModel(tf, files);
  const x = tf.randomUniform([FACES, SIZE, SIZE, 3]).as4D(FACES, SIZE, SIZE, 3);
  const ours = await time(lab, () => network.apply(x)[0]!);
  const stock = await time(lab, () => tf.tidy(() => graph.execute(x, "Identity_2:0") as Tensor));
  network.dispose();
  graph.dispose();
  x.dispose();
  return {
    work: `face mesh network, ${FACES} faces`,
    "ours ms": rounded(ours),
    "its graph in tfjs ms": rounded(stock),
    speedup: rounded(stock / ours),
  };
}
