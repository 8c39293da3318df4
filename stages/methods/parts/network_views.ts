/**
 * The network of a comparator's authors in other views, as `novel_views` asks for them: the mesh is the one that the
 * network finds in the other view, in the lit colours that it found in the first. So it is with the methods, whose lit
 * textures are carried to the other view's mesh; only that each network has its own meshes. A network's vertices mean
 * the same in every view, so nothing has to be sampled.
 */
import type { Tfjs } from "@ftim/gpu/tfjs";
import type { Tree, Writer } from "@ftim/pipeline";
import type { Comparator } from "../../../nets/comparators/comparator.ts";
import type { Triplets } from "../../data/triplets.ts";
import { reconstructFaces } from "./network_faces.ts";

/** Triplets with their faces, and a stage's context. */
export interface NetworkTriplets {
  readonly inputs: Readonly<Record<"triplets" | "crops" | "sought" | "images", Tree>>;
  readonly out: Pick<Writer, "write">;
  readonly skip: (key: string, reason: string) => void;
  readonly progress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
  readonly stage: string;
}

/**
 * Runs a comparator on triplets, one after the other: `<from>.to.<to>.render.png` of each ordered pair of views. A view
 * that is no face, or that the comparator skips, is in no pair.
 *
 * @throws {GpuError} if the device reports an error
 */
export async function networkViews(
  tf: Tfjs,
  comparator: Comparator,
  { inputs, out, skip, progress, signal, stage }: NetworkTriplets,
): Promise<void> {
  const { crops, sought, images } = inputs;
  const { triplets } = await inputs.triplets.json<Triplets>("triplets.json");
  const drawn = new Set<string>();
  for (const [done, triplet] of triplets.entries()) {
    signal.throwIfAborted();
    const items = triplet.views.filter((key) => crops.has(`${key}.json`) && sought.has(`${key}.json`)).map((key) => ({
      key,
      inputs: { crops, sought },
      skip: (reason: string) => skip(key, reason),
    }));
    const faces = await reconstructFaces(tf, comparator, { items, images, stage });
    const pairs = faces.items.flatMap(({ key: from }, colours) =>
      faces.items.flatMap(({ key: to }, mesh) => {
        const path = `${from}.to.${to}.render.png`;
        // triplets may share views
        return from === to || drawn.has(path) ? [] : [{ path, colours, mesh }];
      })
    );
    const pictures = await faces.draw(pairs);
    faces.dispose();
    for (const [i, { path }] of pairs.entries()) {
      out.write(path, pictures[i]!);
      drawn.add(path);
    }
    progress(done + 1, triplets.length);
  }
}
