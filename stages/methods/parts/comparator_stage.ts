/**
 * What the stages that run the network of a comparator's authors have in common: what they read, and how it is drawn in
 * the view that a face was reconstructed from, and in other views.
 */
import { type Artifact, defineStage, map, type Tree } from "@ftim/pipeline";
import type { Tfjs } from "@ftim/gpu/tfjs";
import type { Comparator } from "../../../nets/comparators/comparator.ts";

/** What a network reads: faces, where their detector sees them, their photographs, and the authors' files by name. */
export interface ComparatorInputs<Name extends string> {
  readonly crops: Artifact<"aligned">;
  readonly sought: Artifact<"sought">;
  readonly images: Artifact<"images">;
  readonly files: Readonly<Record<Name, Artifact<"assets">>>;
}

/** The two stages of a network. */
export interface ComparatorNetwork<Name extends string> {
  /** Faces → `<key>.render.png`. */
  faces(inputs: ComparatorInputs<Name>): Artifact<"reconstructions">;
  /** Views of triplets → `<from>.to.<to>.render.png`: see `network_views.ts`. */
  views(inputs: ComparatorInputs<Name> & { readonly triplets: Artifact<"triplets"> }): Artifact<"reconstructions">;
}

/**
 * Declares the stages of a network: `name`, and `name` with `_views` behind it.
 *
 * @param stage `name` and `module` as of `defineStage`; `files` names what `open` opens the network from, each a file
 *   or a folder of the authors'; `batch` is how many faces it takes at once
 */
export function defineComparatorNetwork<const Name extends string>(
  { name, module, files, batch = 8, open }: {
    name: string;
    module: string;
    files: readonly Name[];
    batch?: number;
    open(files: Readonly<Record<Name, Tree>>, tf: Tfjs): Promise<Comparator>;
  },
): ComparatorNetwork<Name> {
  const inputs = { crops: "aligned", sought: "sought", images: "images", files: map("assets") } as const;
  const shared = {
    output: "reconstructions",
    determinism: "bitwise",
    computes: {
      webgpu: "cutting out, networks, geometry, light, rendering",
      cpu: "decoding and encoding: file formats",
    },
    resources: { gpu: true },
    open: async ({ inputs }: { inputs: { files: Readonly<Record<string, Tree>> } }) => {
      const { openTfjs } = await import("@ftim/gpu/tfjs");
      const tf = await openTfjs();
      return { tf, comparator: await open(allOf(files, inputs.files), tf) };
    },
    close: ({ comparator }: { comparator: Comparator }) => comparator.dispose(),
  } as const;
  return {
    faces: defineStage({
      ...shared,
      name,
      module,
      inputs,
      each: ["crops", "sought"],
      batch,
      run: async ({ items, inputs: { images }, resource: { tf, comparator } }) => {
        const { networkFaces } = await import("./network_faces.ts");
        await networkFaces(tf, comparator, { items, images, stage: name });
      },
    }),
    views: defineStage({
      ...shared,
      name: `${name}_views`,
      module,
      inputs: { ...inputs, triplets: "triplets" },
      run: async ({ resource: { tf, comparator }, ...context }) => {
        const { networkViews } = await import("./network_views.ts");
        await networkViews(tf, comparator, { ...context, stage: `${name}_views` });
      },
    }),
  };
}

/**
 * The trees of these names.
 *
 * @throws {TypeError} naming one that is not given
 */
function allOf<Name extends string>(
  names: readonly Name[],
  given: Readonly<Record<string, Tree>>,
): Readonly<Record<Name, Tree>> {
  const entries = names.map((name) => {
    if (given[name] === undefined) throw new TypeError(`The authors' file "${name}" is not given`);
    return [name, given[name]] as const;
  });
  return Object.fromEntries(entries) as Record<Name, Tree>;
}
