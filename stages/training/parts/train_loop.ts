/**
 * The training loop, for any {@linkcode TextureModel}: one triplet a step, Adam, a mean of the weights over the last
 * steps, checkpoints, resume. Nothing is read back inside a step; the losses of many steps are read at once.
 */
import type * as tfjs from "@tensorflow/tfjs";
import { disposeAlbedoParts, uploadAlbedoParts } from "../../../face/albedo_maps.ts";
import { readBack } from "@ftim/gpu/ops/read-back";
import { uvMap } from "../../../face/uv_map.ts";
import { readFamilies, tuneConvolutions } from "@ftim/gpu/tuner";
import { type Gpu, openGpu } from "@ftim/gpu/device";
import { submitRecorded, type Tfjs, webgpuBackend } from "@ftim/gpu/backend";
import { openTfjs } from "@ftim/gpu/tfjs";
import { adam, valueAndGradients } from "../../../nets/adam.ts";
import type { LossWeights } from "../../../nets/losses.ts";
import { drawParameters, fromVariables, type ParameterValues, toVariables } from "../../../nets/parameters.ts";
import { below, shuffled, uniform } from "../../../nets/random.ts";
import type { TextureModel } from "../../../nets/texture_model.ts";
import { weightAverage } from "../../../nets/weight_average.ts";
import { openVgg19, type Vgg19, VGG19_SIZE } from "../../../nets/vgg19.ts";
import { type Recognition128, RECOGNITION128_SIZE } from "../../../nets/recognition128.ts";
import { uploadTriplet } from "../../../nets/device_triplet.ts";
import type { IdentityNetwork } from "../../../nets/known_faces.ts";
import { type LossChoices, totalLoss, tripletLoss } from "../../../nets/triplet_loss.ts";
import { openIdentity } from "../../faces/identity.ts";
import { onlyFile } from "../../data/parts/file_source.ts";
import { type LossRow, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import type { Triplet } from "../../data/parts/triplet_choice.ts";
import type { Hints, Tree } from "@ftim/pipeline";
import type { Schedule, trainInputs } from "./train_params.ts";
import type { Triplets } from "../../data/triplets.ts";
import { type FaceModel, type FaceTrees, type KnownHeads, readFaceModel } from "../../faces/training_set.ts";
import { openTripletViews } from "./triplet_views.ts";

/** What a training run is. */
export interface TrainOptions extends FaceTrees, KnownHeads, LossChoices {
  model: TextureModel;
  faces: FaceModel;
  triplets: readonly Triplet[];
  identity: IdentityNetwork;
  weights: LossWeights;
  steps: number;
  learningRate: number;
  schedule: Schedule;
  seed: number;
  /** Steps between two checkpoints. */
  checkpoint: number;
  /** Folder of the checkpoint; an interrupted run goes on from there, with the same bits. */
  scratch: string;
  /** Where the choice of kernels is kept from run to run. */
  hints(name: string): Hints;
  log(line: string): void;
  progress(done: number, total: number): void;
  signal: AbortSignal;
}

/** What a training run gives. */
export interface Trained {
  parameters: ParameterValues;
  /** CSV: step, each term unweighted, total. */
  losses: string;
}

/** Steps whose losses are read together. */
const READ_EVERY = 10;

/** What a training stage hands on: its inputs and parameters as they are. */
export interface TrainContext
  extends Pick<TrainOptions, "model" | "scratch" | "hints" | "log" | "progress" | "signal"> {
  inputs: Record<Exclude<keyof typeof trainInputs, "vgg19" | "known">, Tree> & {
    readonly vgg19?: Tree | undefined;
    readonly known?: Tree | undefined;
  };
  params: Pick<
    TrainOptions,
    "steps" | "learningRate" | "schedule" | "seed" | "checkpoint" | "weights" | keyof LossChoices
  >;
}

/** Opens what the inputs name and trains. */
export async function trainStage({ inputs, params, ...context }: TrainContext): Promise<Trained> {
  const { triplets } = await inputs.triplets.json<Triplets>("triplets.json");
  const network = await openIdentity(inputs.identity);
  const vgg19 = inputs.vgg19 && await openVgg19(await onlyFile(inputs.vgg19));
  try {
    return await trainOnTriplets({
      ...inputs,
      ...params,
      ...context,
      triplets,
      faces: await readFaceModel(inputs),
      identity: vgg19 === undefined ? perceptualNetwork(network) : withVgg19(network, vgg19),
    });
  } finally {
    network.dispose();
    vgg19?.dispose();
  }
}

/** Trains a model on triplets. */
async function trainOnTriplets(options: TrainOptions): Promise<Trained> {
  const { model, faces, weights, light, symmetry, prior, steps, seed, signal } = options;
  const [tf, gpu] = [await openTfjs(), await openGpu()];
  const usable = options.triplets.filter(({ views }) =>
    views.every((key) => options.regressed.has(`${key}.safetensors`))
  );
  if (usable.length === 0) throw new Error("No triplet has all three views; see what mesh and regress skipped");
  if (usable.length < options.triplets.length) {
    options.log(
      `${options.triplets.length - usable.length} of ${options.triplets.length} triplets lack a view that was skipped`,
    );
  }
  const views = await openTripletViews(tf, usable, {
    ...options,
    looksAt: { descriptor: weights.identity > 0, layers: weights.mrf > 0 },
  });
  const chart = tf.tensor3d(Float32Array.from(uvMap(faces.topology, faces.size).inside), [faces.size, faces.size, 1]);

  const parts = uploadAlbedoParts(tf, faces.morphable);
  const saved = await readCheckpoint(options.scratch, { specs: model.parameters, log: options.log });
  const variables = toVariables(tf, saved?.parameters ?? drawParameters(model.parameters, seed));
  const optimiser = adam(tf, variables, saved === null ? {} : { resume: saved });
  const averaged = averagedFrom(options);
  const average = weightAverage(
    tf,
    variables,
    saved === null ? {} : { resume: { count: Math.max(0, saved.steps - averaged), values: saved.average } },
  );
  const rows = saved?.rows ?? [];
  if (saved !== null) options.log(`going on from step ${saved.steps}`);
  let pending: Record<string, tfjs.Scalar>[] = [];
  const collect = async () => {
    rows.push(...await readLosses(tf, pending, optimiser.steps - pending.length));
    pending = [];
    options.progress(optimiser.steps, steps);
  };
  const save = async () => {
    const [parameters, state] = [await fromVariables(variables), await optimiser.state()];
    await writeCheckpoint(options.scratch, {
      steps: optimiser.steps,
      parameters,
      state,
      average: await average.values(),
      rows,
    });
  };

  const first = optimiser.steps;
  for (let step = first; step < steps; step++) {
    if (signal.aborted) {
      if (pending.length > 0) await collect();
      await save();
      signal.throwIfAborted();
    }
    const { triplet, chosen } = draw(usable, { step, seed });
    const loaded = await views.load(triplet.views);
    const known = await views.seen(triplet.views, loaded);
    const onDevice = uploadTriplet(tf, loaded, { ...faces, parts, side: options.identity.side });
    const terms = tf.tidy(() => {
      let kept: Record<string, tfjs.Scalar> = {};
      const { value, gradients } = valueAndGradients(tf, variables, () => {
        const albedo: Parameters<typeof tripletLoss>[1]["model"]["albedo"] = (input) => model.albedo(variables, input);
        const found = tripletLoss(tf, {
          triplet: onDevice,
          chosen,
          weights,
          light,
          symmetry,
          prior,
          chart,
          model: { ...model, albedo },
          identity: options.identity,
          known,
        });
        kept = Object.fromEntries(Object.entries(found).map(([name, term]) => [name, tf.keep(tf.clone(term))]));
        return totalLoss(tf, found, weights);
      });
      optimiser.step(gradients, rateAt(step, options));
      return { ...kept, total: value };
    });
    if (step >= averaged) average.add();
    // The first step has shown which convolutions there are. A software adapter is one kind of machine, and measured
    // once (bench/).
    if (step === first && !gpu.info.software) await chooseKernels(tf, { gpu, hints: options.hints("convolutions") });
    // Building an operator again costs less than keeping those of all views on the device.
    onDevice.dispose();
    if (known !== undefined) tf.dispose([known.descriptor, ...known.layers]);
    pending.push(terms);
    // A step that begins with nothing recorded runs over the buffers of the one before, and its bind groups serve again
    // (gpu/recording.ts).
    submitRecorded(webgpuBackend(tf));
    if (pending.length === READ_EVERY || step + 1 === steps) await collect();
    if ((step + 1) % options.checkpoint === 0) {
      if (pending.length > 0) await collect();
      await save();
    }
  }
  const parameters = await average.values();
  average.dispose();
  optimiser.dispose();
  disposeAlbedoParts(parts);
  tf.dispose([variables, chart]);
  const names = [...Object.keys(rows[0] ?? {})];
  const losses = [names.join(","), ...rows.map((row) => names.map((name) => row[name]).join(","))].join("\n") + "\n";
  return { parameters, losses };
}

type Course = Pick<TrainOptions, "steps" | "learningRate" | "schedule">;

/** The learning rate of a step, see `SCHEDULES`. */
export function rateAt(step: number, { steps, learningRate, schedule }: Course): number {
  if (schedule === "constant") return learningRate;
  return learningRate * (0.1 + 0.45 * (1 + Math.cos(Math.PI * step / steps)));
}

/** The first step whose weights count in the mean, see `SCHEDULES`. */
export function averagedFrom({ steps, schedule }: Omit<Course, "learningRate">): number {
  return schedule === "constant" ? steps - 1 : Math.floor(steps / 2);
}

/** The triplet and the albedo of a step: a pure function of step and seed, so that a resumed run draws the same. */
export function draw<T>(
  triplets: readonly T[],
  { step, seed }: { step: number; seed: number },
): { triplet: T; chosen: number } {
  const epoch = Math.floor(step / triplets.length);
  const order = shuffled(uniform(seed * 100_003 + epoch), triplets);
  const chosen = below(uniform(seed * 100_003 + 50_021 + step), 3);
  return { triplet: order[step % triplets.length]!, chosen };
}

/** Measures the convolutions that this machine has not measured yet. */
async function chooseKernels(tf: Tfjs, { gpu, hints }: { gpu: Gpu; hints: Hints }): Promise<void> {
  const known = readFamilies(hints.read());
  if (await tuneConvolutions(tf, { gpu, known }) > 0) hints.write(known);
}

/** The 128-d network with the layers at strides 4 and 8 in the places of VGG's relu3_2 and relu4_2. */
export function perceptualNetwork(network: Recognition128): IdentityNetwork {
  return {
    side: RECOGNITION128_SIZE,
    layerWeights: [1, 2],
    features: (faces) => {
      const { descriptor, stride4, stride8 } = network.features(faces);
      return { descriptor, layers: [stride4, stride8] };
    },
  };
}

/** The 128-d network's descriptor beside relu3_2 and relu4_2 of VGG-19, as in the paper. */
function withVgg19(network: Recognition128, vgg19: Vgg19): IdentityNetwork {
  return {
    side: VGG19_SIZE,
    layerWeights: [1, 2],
    features: (faces) => {
      const { relu3_2, relu4_2 } = vgg19.features(faces);
      return { descriptor: network.embed(faces), layers: [relu3_2, relu4_2] };
    },
  };
}

async function readLosses(
  tf: Tfjs,
  pending: readonly Record<string, tfjs.Scalar>[],
  first: number,
): Promise<LossRow[]> {
  if (pending.length === 0) return [];
  const names = Object.keys(pending[0]!);
  const stacked = tf.stack(pending.flatMap((terms) => names.map((name) => terms[name]!)));
  tf.dispose([...pending]);
  const [values] = await readBack([stacked], "train");
  return pending.map((_, row) => ({
    step: first + row,
    ...Object.fromEntries(names.map((name, column) => [name, values![row * names.length + column]!])),
  }));
}
