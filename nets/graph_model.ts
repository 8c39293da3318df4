/** TensorFlow.js graph models from bytes: no URL and no file. */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";

/** The two files of a converted model. */
export interface GraphModelFiles {
  /** The `.json` file: topology and weights manifest. */
  model: Uint8Array;
  /** The `.bin` files of the manifest, one after the other. */
  weights: Uint8Array;
}

/**
 * Opens a graph model on the current backend.
 *
 * @throws {SyntaxError} If the JSON is not a graph model.
 * @throws {RangeError} If the manifest asks for another number of bytes than `weights` has.
 */
export async function openGraphModel(tf: Tfjs, files: GraphModelFiles): Promise<tfjs.GraphModel> {
  const artifacts = graphArtifacts(files);
  return await tf.loadGraphModel({ load: () => Promise.resolve(artifacts as unknown as tfjs.io.ModelArtifacts) });
}

/** A node of a graph model's topology. */
export interface GraphNode {
  name: string;
  op: string;
  input?: string[];
  attr?: Record<string, unknown>;
}

/**
 * The nodes and weights of a graph model, for those who run it themselves.
 *
 * @throws as {@linkcode openGraphModel}
 */
export function readGraph(tf: Tfjs, files: GraphModelFiles): { nodes: GraphNode[]; weights: tfjs.NamedTensorMap } {
  const { modelTopology, weightSpecs, weightData } = graphArtifacts(files);
  const { node } = modelTopology as { node: GraphNode[] };
  return { nodes: node, weights: tf.io.decodeWeights(weightData, weightSpecs) };
}

function graphArtifacts({ model, weights }: GraphModelFiles) {
  const { format, generatedBy, convertedBy, signature, modelTopology, weightsManifest } = readModelJson(model);
  const weightSpecs = weightsManifest.flatMap((group) => group.weights);
  const needed = weightSpecs.reduce((sum, spec) => sum + byteLength(spec), 0);
  if (needed !== weights.length) {
    throw new RangeError(
      `Cannot open graph model: the manifest asks for ${needed} bytes of weights, ${weights.length} came`,
    );
  }
  // A copy, as the bytes may be a view of a larger buffer.
  const weightData = new Uint8Array(weights).buffer;
  return { format, generatedBy, convertedBy, signature, modelTopology, weightSpecs, weightData };
}

/**
 * Reads the tensors of a weights manifest (as face-api.js ships them), dequantised, on the current backend.
 *
 * @param manifest The `-weights_manifest.json` file.
 * @throws {RangeError} If the manifest asks for another number of bytes than `weights` has.
 */
export function readWeights(
  tf: Tfjs,
  { manifest, weights }: { manifest: Uint8Array; weights: Uint8Array },
): tfjs.NamedTensorMap {
  const groups = JSON.parse(new TextDecoder().decode(manifest)) as tfjs.io.WeightsManifestConfig;
  const specs = groups.flatMap((group) => group.weights);
  const needed = specs.reduce((sum, spec) => sum + byteLength(spec), 0);
  if (needed !== weights.length) {
    throw new RangeError(`Cannot read weights: the manifest asks for ${needed} bytes, ${weights.length} came`);
  }
  return tf.io.decodeWeights(new Uint8Array(weights).buffer, specs);
}

type ModelJson = tfjs.io.ModelJSON;

function readModelJson(bytes: Uint8Array): ModelJson {
  const json = JSON.parse(new TextDecoder().decode(bytes)) as Partial<ModelJson> | null;
  if (json?.format !== "graph-model" || !json.modelTopology || !Array.isArray(json.weightsManifest)) {
    throw new SyntaxError("Cannot open graph model: the JSON has no format graph-model, topology or weights manifest");
  }
  return json as ModelJson;
}

const ELEMENT_SIZES: Record<string, number> = {
  float32: 4,
  int32: 4,
  complex64: 8,
  uint8: 1,
  bool: 1,
  uint16: 2,
  float16: 2,
};

function byteLength({ name, shape, dtype, quantization }: tfjs.io.WeightsManifestEntry): number {
  const size = ELEMENT_SIZES[quantization?.dtype ?? dtype];
  if (size === undefined) throw new SyntaxError(`Cannot read weights: "${name}" has type ${dtype}`);
  return shape.reduce((product, n) => product * n, size);
}
