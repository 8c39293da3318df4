/**
 * The views that a training run looks at. A set of hundreds is loaded once and stays in memory, with what the network
 * sees in its photographs. Of a set of thousands, such as the paper's 1.5k triplets, only the views that were used last
 * are kept, and the network looks at a photograph each time.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { Tfjs } from "@ftim/gpu/backend";
import { type IdentityNetwork, type SeenFaces, seenIn } from "../../../nets/triplet_loss.ts";
import { type FaceModel, type FaceTrees, type LoadedView, loadView } from "../../faces/training_set.ts";

/** A view is about a megabyte. */
const KEEP = { views: 1024, bytes: 1 << 30 };
/** Photographs that the network looks at together. */
const FACES_AT_ONCE = 8;

/** The views of a training run. */
export interface TripletViews {
  /** Loads views by key. */
  load(keys: readonly string[]): Promise<LoadedView[]>;
  /** What the network sees in the photographs of loaded views; undefined if no loss looks. Call it within `tf.tidy`. */
  seen(keys: readonly string[], views: readonly LoadedView[]): SeenFaces | undefined;
}

/** What {@link openTripletViews} needs. */
export interface TripletViewsOptions extends FaceTrees {
  readonly faces: FaceModel;
  readonly identity: IdentityNetwork;
  /** Whether a loss looks at the network's descriptors, and at its layers. */
  readonly looksAt: { readonly descriptor: boolean; readonly layers: boolean };
  readonly signal: AbortSignal;
  /** Most views, and most bytes of the network's features, that are kept in memory. */
  readonly keep?: { readonly views: number; readonly bytes: number };
}

/**
 * Opens the views of some triplets.
 *
 * @param keys of all views, each of which has a regression
 */
export async function openTripletViews(
  tf: Tfjs,
  keys: readonly string[],
  { faces, identity, looksAt, signal, keep = KEEP, ...trees }: TripletViewsOptions,
): Promise<TripletViews> {
  const kept = new Map<string, LoadedView>();
  const loadOne = async (key: string) => {
    const view = kept.get(key) ?? await loadView(key, trees, faces);
    // the last asked for is the last in the map
    kept.delete(key);
    kept.set(key, view);
    if (kept.size > keep.views) kept.delete(kept.keys().next().value!);
    return view;
  };
  // one after the other: a stage reads from one disk
  const load = async (keys: readonly string[]) => {
    const views: LoadedView[] = [];
    for (const key of keys) views.push(await loadOne(key));
    return views;
  };
  if (!looksAt.descriptor && !looksAt.layers) return { load, seen: () => undefined };
  const look = (views: readonly LoadedView[]) =>
    seenIn(tf, views.map((view) => ({ photograph: view.photograph(), face: view.face })), identity);
  const known = keys.length > keep.views
    ? null
    : await rememberAll(keys, { tf, load, look, layers: looksAt.layers, bytes: keep.bytes, signal });
  return { load, seen: (keys, views) => known === null ? look(views) : known(keys) };
}

/** Looks at all photographs and keeps what was seen as numbers; null if that takes too much memory. */
async function rememberAll(
  keys: readonly string[],
  { tf, load, look, layers, bytes, signal }: Pick<TripletViewsOptions, "signal"> & {
    tf: Tfjs;
    load(keys: readonly string[]): Promise<LoadedView[]>;
    look(views: readonly LoadedView[]): SeenFaces;
    layers: boolean;
    bytes: number;
  },
): Promise<((keys: readonly string[]) => SeenFaces) | null> {
  const known = new Map<string, Float32Array[]>();
  let shapes: number[][] = [];
  for (let first = 0; first < keys.length; first += FACES_AT_ONCE) {
    signal.throwIfAborted();
    const some = keys.slice(first, first + FACES_AT_ONCE);
    const views = await load(some);
    const seen = tf.tidy(() => {
      const found = look(views);
      return [found.descriptor, ...(layers ? found.layers : [])] as tfjs.Tensor[];
    });
    const values = await Promise.all(seen.map((tensor) => tensor.data())) as Float32Array[];
    shapes = seen.map(({ shape }) => shape.slice(1));
    tf.dispose(seen);
    const length = (i: number) => values[i]!.length / some.length;
    if (keys.length * 4 * values.reduce((sum, _, i) => sum + length(i), 0) > bytes) return null;
    for (const [face, key] of some.entries()) {
      known.set(key, values.map((all, i) => all.slice(face * length(i), (face + 1) * length(i))));
    }
  }
  return (keys) => {
    const [descriptor, ...rest] = shapes.map((shape, i) =>
      tf.stack(keys.map((key) => tf.tensor(known.get(key)![i]!, shape)))
    );
    return { descriptor: descriptor as tfjs.Tensor2D, layers: rest as tfjs.Tensor4D[] };
  };
}
