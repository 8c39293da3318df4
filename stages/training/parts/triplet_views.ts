/**
 * The views that a training run looks at. A set of hundreds is loaded once and stays in memory, with what the network
 * sees in its photographs. Of a set of thousands, such as the paper's 1.5k triplets, only the views that were used last
 * are kept, and the network looks at a photograph each time; then what it sees stays on the device.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { readBack } from "@ftim/gpu/ops/read-back";
import type { TrainingView } from "../../../nets/device_triplet.ts";
import { coveredByHalf, type IdentityNetwork, type KnownFaces, lookAtPhotographs } from "../../../nets/known_faces.ts";
import type { Triplet } from "../../data/parts/triplet_choice.ts";
import { type FaceModel, type FaceTrees, type KnownHeads, loadView } from "../../faces/training_set.ts";

/** A view is about a megabyte. */
const KEEP = { views: 1024, bytes: 1 << 30 };
/** Photographs that the network looks at together. */
const FACES_AT_ONCE = 8;

/** The views of a training run. */
export interface TripletViews {
  /** Loads views by key. */
  load(keys: readonly string[]): Promise<TrainingView[]>;
  /** What the network sees in the photographs, for the caller to dispose of; undefined if no loss looks. */
  seen(keys: readonly string[], views: readonly TrainingView[]): Promise<KnownFaces | undefined>;
}

/** What {@link openTripletViews} needs. */
export interface TripletViewsOptions extends FaceTrees, KnownHeads {
  readonly faces: FaceModel;
  readonly identity: IdentityNetwork;
  /** Whether a loss looks at the network's descriptors, and at its layers. */
  readonly looksAt: { readonly descriptor: boolean; readonly layers: boolean };
  readonly signal: AbortSignal;
  /** Most views, and most bytes of the network's features, that are kept in memory. */
  readonly keep?: { readonly views: number; readonly bytes: number };
}

/**
 * Opens the views of some triplets, each of which has a regression.
 */
export async function openTripletViews(
  tf: Tfjs,
  triplets: readonly Triplet[],
  { faces, identity, looksAt, signal, keep = KEEP, ...trees }: TripletViewsOptions,
): Promise<TripletViews> {
  const heads = new Map(
    triplets.flatMap(({ views, identity, expression }) => views.map((key) => [key, `${identity}/${expression}`])),
  );
  const keys = [...heads.keys()];
  const kept = new Map<string, TrainingView>();
  const loadOne = async (key: string) => {
    const view = kept.get(key) ?? await loadView(key, { ...trees, head: heads.get(key)! });
    // the last asked for is the last in the map
    kept.delete(key);
    kept.set(key, view);
    if (kept.size > keep.views) kept.delete(kept.keys().next().value!);
    return view;
  };
  // one after the other: a stage reads from one disk
  const load = async (keys: readonly string[]) => {
    const views: TrainingView[] = [];
    for (const key of keys) views.push(await loadOne(key));
    return views;
  };
  if (!looksAt.descriptor && !looksAt.layers) return { load, seen: () => Promise.resolve(undefined) };
  const looking = { network: identity, topology: faces.topology, looksAt };
  const look = (views: readonly TrainingView[]) => glance(tf, views, looking);
  const known = keys.length > keep.views ? null : await rememberAll(keys, { load, look, bytes: keep.bytes, signal });
  if (known !== null) {
    return { load, seen: (keys) => Promise.resolve(together(tf, keys.map((key) => known.get(key)!))) };
  }
  // Of each view that was looked at. Features stay on the device, where the loss reads them.
  const inside = new Map<string, InsideLayers>();
  const seen = async (keys: readonly string[], views: readonly TrainingView[]) => {
    const { descriptor, layers, covered } = onDevice(tf, views, looking);
    if (keys.every((key) => inside.has(key))) {
      tf.dispose(covered);
    } else {
      const found = await insideOf(covered, views.length);
      for (const [i, key] of keys.entries()) inside.set(key, found[i]!);
    }
    return { descriptor, layers, inside: layers.map((_, i) => keys.flatMap((key) => inside.get(key)![i]!)) };
  };
  return { load, seen };
}

/** Which positions of each layer look at a place that the mesh covers by half at least. */
type InsideLayers = readonly (readonly boolean[])[];

/** Of each view, from the shares of all [B,h,w,1] a layer, which it disposes of. */
async function insideOf(covered: readonly tfjs.Tensor[], views: number): Promise<InsideLayers[]> {
  const shares = await readBack(covered, "the network behind the losses");
  return Array.from(
    { length: views },
    (_, view) => shares.map((values) => coveredByHalf(part(values, { view, views }))),
  );
}

/** One view's numbers in those of several. */
function part(values: Float32Array, { view, views }: { view: number; views: number }): Float32Array {
  const length = values.length / views;
  return values.slice(view * length, (view + 1) * length);
}

/** What the network sees in some photographs, as far as a loss looks, for the caller to dispose of. */
function onDevice(
  tf: Tfjs,
  views: readonly TrainingView[],
  { network, topology, looksAt }: Looking,
): ReturnType<typeof lookAtPhotographs> {
  const [descriptor, ...rest] = tf.tidy(() => {
    const seen = lookAtPhotographs(tf, views, { network, topology });
    return [seen.descriptor, ...looksAt.layers ? [...seen.layers, ...seen.covered] : []];
  }) as [tfjs.Tensor2D, ...tfjs.Tensor4D[]];
  return { descriptor, layers: rest.slice(0, rest.length / 2), covered: rest.slice(rest.length / 2) };
}

/** Through what is looked, and at what. */
interface Looking extends Pick<TripletViewsOptions, "looksAt"> {
  readonly network: IdentityNetwork;
  readonly topology: FaceModel["topology"];
}

/** What the network sees in one photograph, as numbers. */
interface Glance {
  readonly descriptor: Float32Array;
  /** Shape [h,w,C] and numbers of each layer, and which of its positions the mesh covers. */
  readonly layers: readonly {
    readonly shape: readonly number[];
    readonly values: Float32Array;
    readonly inside: readonly boolean[];
  }[];
}

/** Looks at some photographs at once. */
async function glance(tf: Tfjs, views: readonly TrainingView[], looking: Looking): Promise<Glance[]> {
  const { descriptor, layers, covered } = onDevice(tf, views, looking);
  const shapes = layers.map(({ shape }) => shape.slice(1));
  const [[descriptors, ...values], inside] = await Promise.all([
    readBack([descriptor, ...layers], "the network behind the losses"),
    insideOf(covered, views.length),
  ]);
  const of = (numbers: Float32Array, view: number) => part(numbers, { view, views: views.length });
  return views.map((_, view) => ({
    descriptor: of(descriptors!, view),
    layers: shapes.map((shape, i) => ({ shape, values: of(values[i]!, view), inside: inside[view]![i]! })),
  }));
}

/** What was seen in some photographs, as one batch on the device. */
function together(tf: Tfjs, glances: readonly Glance[]): KnownFaces {
  const stack = (numbers: readonly Float32Array[], shape: readonly number[]) =>
    tf.tidy(() => tf.stack(numbers.map((values) => tf.tensor(values, [...shape]))));
  const [{ descriptor, layers }] = glances as readonly [Glance];
  return {
    descriptor: stack(glances.map((seen) => seen.descriptor), [descriptor.length]) as tfjs.Tensor2D,
    layers: layers.map(({ shape }, i) => stack(glances.map((seen) => seen.layers[i]!.values), shape) as tfjs.Tensor4D),
    inside: layers.map((_, i) => glances.flatMap((seen) => seen.layers[i]!.inside)),
  };
}

/** Looks at all photographs and keeps what was seen as numbers; null if that takes too much memory. */
async function rememberAll(
  keys: readonly string[],
  { load, look, bytes, signal }: Pick<TripletViewsOptions, "signal"> & {
    load(keys: readonly string[]): Promise<TrainingView[]>;
    look(views: readonly TrainingView[]): Promise<Glance[]>;
    bytes: number;
  },
): Promise<ReadonlyMap<string, Glance> | null> {
  const known = new Map<string, Glance>();
  for (let first = 0; first < keys.length; first += FACES_AT_ONCE) {
    signal.throwIfAborted();
    const some = keys.slice(first, first + FACES_AT_ONCE);
    const glances = await look(await load(some));
    const [{ descriptor, layers }] = glances as [Glance];
    if (4 * keys.length * layers.reduce((sum, { values }) => sum + values.length, descriptor.length) > bytes) {
      return null;
    }
    for (const [i, key] of some.entries()) known.set(key, glances[i]!);
  }
  return known;
}
