/**
 * The networks of the comparators' authors, from the user's own files: which files each needs, and how it is run on
 * faces. A comparator whose files are not all there has a row in Table 1 that says which is absent.
 */
import { type Artifact, cast } from "@ftim/pipeline";
import { assetFile, assetFolder, assets, dataLock, isPresent } from "../stages/data/fetch.ts";
import { seekFaces } from "../stages/data/seek.ts";
import { networkChen } from "../stages/methods/network_chen.ts";
import { networkDeca } from "../stages/methods/network_deca.ts";
import { networkDeng } from "../stages/methods/network_deng.ts";
import { networkTran } from "../stages/methods/network_tran.ts";
import type { ComparatorNetwork } from "../stages/methods/parts/comparator_stage.ts";
import type { Comparator } from "../stages/scores/parts/methods.ts";
import type { PreparedFaces } from "./faces.ts";
import { mapValues } from "./map_values.ts";
import { DECA_FILES } from "./regressors.ts";

/** Faces and their photographs. */
type Photographed = Pick<PreparedFaces, "crops" | "meshes" | "images" | "topology">;

/** A network, as it draws faces. */
export interface FaceDrawer {
  /** In the view that each was reconstructed from. */
  faces(faces: Photographed): Artifact<"reconstructions">;
  /** In the other views of triplets. */
  views(faces: Photographed & { readonly triplets: Artifact<"triplets"> }): Artifact<"reconstructions">;
}

/** What can be run, and why the rest cannot. */
export interface ComparatorNetworks {
  readonly runs: Partial<Record<Comparator, FaceDrawer>>;
  /** Which file is absent and who grants it, by comparator. */
  readonly absent: Partial<Record<Comparator, string>>;
}

/** DECA's files; its head is drawn as a whole, without the mask of the face. */
const { mask: _, ...DECA_DRAWN } = DECA_FILES;

/** The authors' files, or folders of them, in data.lock's names. */
const FILES = {
  deca: DECA_DRAWN,
  chen: { checkpoints: "paper/chen/ckpts/", resources: "paper/chen/resources/" },
  deng: {
    encoder: "paper/deng/epoch_20.pth",
    model: "paper/deng/BFM_model_front.mat",
    standard: "paper/deng/similarity_Lm3D_all.mat",
  },
  tran: { checkpoint: "paper/tran/checkpoint/", definition: "paper/tran/3DMM_definition/" },
} as const;

/**
 * Looks for the networks in the user's folder.
 *
 * @param options.dataFolder the folder of the user's own files
 */
export function comparatorNetworks({ dataFolder }: { dataFolder: string }): ComparatorNetworks {
  const files = <Name extends string>(names: Readonly<Record<Name, string>>) =>
    mapValues<Name, string, Artifact<"assets">>(
      names,
      (id) => id.endsWith("/") ? cast(assetFolder(id, { dataFolder }), "assets") : assetFile(id, { dataFolder }),
    );
  const seen = ({ crops, meshes, images, topology }: Photographed) => ({
    crops,
    images,
    sought: seekFaces({ crops, meshes, images, topology, network: assets("mtcnn/") }),
  });
  const drawer = <Name extends string>(
    network: ComparatorNetwork<Name>,
    names: Readonly<Record<Name, string>>,
  ): FaceDrawer => ({
    faces: (faces) => network.faces({ ...seen(faces), files: files(names) }),
    views: ({ triplets, ...faces }) => network.views({ ...seen(faces), triplets, files: files(names) }),
  });
  const all = {
    deca: drawer(networkDeca, FILES.deca),
    chen: drawer(networkChen, FILES.chen),
    tran: drawer(networkTran, FILES.tran),
    deng: drawer(networkDeng, FILES.deng),
  };
  const absent = mapValues(FILES, (names: Readonly<Record<string, string>>) => {
    const lacking = Object.values(names).filter((id) => !isPresent(id, { dataFolder }));
    return lacking.length === 0 ? null : inWords(lacking);
  });
  const names = Object.keys(FILES) as (keyof typeof FILES)[];
  return {
    runs: Object.fromEntries(names.filter((name) => absent[name] === null).map((name) => [name, all[name]])),
    absent: Object.fromEntries(names.filter((name) => absent[name] !== null).map((name) => [name, absent[name]])),
  };
}

/** Files that are not there, and who grants them. */
function inWords(ids: readonly string[]): string {
  const files = ids.map((id) => dataLock().assets.get(id)!);
  const groups = [...Map.groupBy(files, ({ shared }) => shared.grantor)].map(([grantor, own]) => {
    return `${own.map(({ source }) => source.slice("user:".length)).join(", ")} (granted by ${grantor})`;
  });
  return groups.join(", ");
}
