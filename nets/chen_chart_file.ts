/**
 * The chart of Chen et al.'s detail as its authors ship it in `resources.zip` (cyj907/unsupervised-detail-layer,
 * `load_3dmm_basis`): where the vertices lie, what of the chart is face, and which vertices keep their place.
 */
import { CHEN_CHART } from "../face/chen_detail_faces.ts";
import type { ChenChart } from "../face/chen_model.ts";
import { openTensors, readFloats } from "./files/open_tensors.ts";
import { TensorFileError, type TensorSource } from "./files/source.ts";

/** The authors' files. */
export interface ChenChartFiles {
  /** `BFM2009_Model.mat`, of which the mask without eyes is read. */
  readonly model: TensorSource;
  /** `vertex_uv_ind.npz` */
  readonly places: TensorSource;
  /** `wo_eyebrow_mask.npy` */
  readonly brows: TensorSource;
  /** `wo_nose_mask.npy` */
  readonly nose: TensorSource;
  /** `face_mask.png`, decoded: bytes of 512² texels, one channel or three. */
  readonly face: { readonly width: number; readonly height: number; readonly data: Uint8Array };
}

/** A texel is of the face from this value on. */
const FACE = 128;
/** How often the masks of brows and nose are smoothed. */
const ROUNDS = 10;

/**
 * Reads the chart.
 *
 * @param options.triangles of the model
 * @param options.vertexCount of the model
 * @throws {TensorFileError} if a file is damaged or of another mesh
 */
export async function readChenChart(
  files: ChenChartFiles,
  { triangles, vertexCount }: { triangles: Uint32Array; vertexCount: number },
): Promise<ChenChart> {
  const { width, height, data } = files.face;
  const channels = data.length / CHEN_CHART ** 2;
  if (width !== CHEN_CHART || height !== CHEN_CHART || !Number.isInteger(channels)) {
    throw new TensorFileError(`face_mask.png must have ${CHEN_CHART}×${CHEN_CHART} pixels, not ${width}×${height}`);
  }
  const places = await readFloats(await openTensors(files.places), { name: "uv_ind", shape: [vertexCount, 2] });
  const eyes = await vector(files.model, { name: "mask_wo_eye", vertexCount });
  const masks = [await vector(files.brows, { vertexCount }), await vector(files.nose, { vertexCount })];
  const neighbours = neighboursOf(triangles, vertexCount);
  const [brows, nose] = masks.map((mask) => {
    let smooth: Float32Array = mask;
    for (let round = 0; round < ROUNDS; round++) smooth = means(smooth, neighbours);
    return smooth;
  }) as [Float32Array, Float32Array];
  return {
    places,
    face: Uint8Array.from({ length: CHEN_CHART ** 2 }, (_, texel) => data[channels * texel]! >= FACE ? 1 : 0),
    moved: eyes.map((value, i) => value * brows[i]! * nose[i]!),
  };
}

/** A value for each vertex, whatever its shape is; of a file with one array that array. */
async function vector(
  source: TensorSource,
  { name, vertexCount }: { name?: string; vertexCount: number },
): Promise<Float32Array<ArrayBuffer>> {
  const file = await openTensors(source);
  const found = name ?? [...file.tensors.keys()][0] ?? "";
  const shape = file.tensors.get(found)?.shape ?? [];
  const values = await readFloats(file, { name: found, shape });
  if (values.length === vertexCount) return values;
  throw new TensorFileError(
    `Cannot read ${source.name}: it has ${values.length} values, and there are ${vertexCount} vertices`,
  );
}

function neighboursOf(triangles: Uint32Array, vertexCount: number): readonly ReadonlySet<number>[] {
  const neighbours = Array.from({ length: vertexCount }, () => new Set<number>());
  for (let t = 0; t < triangles.length; t += 3) {
    for (let k = 0; k < 3; k++) {
      const own = neighbours[triangles[t + k]!]!;
      own.add(triangles[t + (k + 1) % 3]!);
      own.add(triangles[t + (k + 2) % 3]!);
    }
  }
  return neighbours;
}

/** The mean of each vertex's neighbours; 0 where there are none. */
function means(values: Float32Array, neighbours: readonly ReadonlySet<number>[]): Float32Array {
  return Float32Array.from(neighbours, (own) => {
    let sum = 0;
    for (const vertex of own) sum += values[vertex]!;
    return own.size === 0 ? 0 : sum / own.size;
  });
}
