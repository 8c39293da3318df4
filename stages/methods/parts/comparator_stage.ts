/** What the stages that run the network of a comparator's authors have in common: faces, and how they are drawn. */
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

/**
 * Faces → `<key>.render.png`.
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
): (inputs: ComparatorInputs<Name>) => Artifact<"reconstructions"> {
  return defineStage({
    name,
    module,
    inputs: { crops: "aligned", sought: "sought", images: "images", files: map("assets") },
    output: "reconstructions",
    each: ["crops", "sought"],
    batch,
    determinism: "bitwise",
    computes: {
      webgpu: "cutting out, networks, geometry, light, rendering",
      cpu: "decoding and encoding: file formats",
    },
    resources: { gpu: true },
    open: async ({ inputs }) => {
      const { openTfjs } = await import("@ftim/gpu/tfjs");
      const tf = await openTfjs();
      return { tf, comparator: await open(allOf(files, inputs.files), tf) };
    },
    close: ({ comparator }) => comparator.dispose(),
    run: async ({ items, inputs: { images }, resource: { tf, comparator } }) => {
      const { networkFaces } = await import("./network_faces.ts");
      await networkFaces(tf, comparator, { items, images, stage: name });
    },
  });
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
