/** The packages of a module graph: by their integrity in `deno.lock`, or by their files where those lie at hand. */
import type { Info } from "./deno_info.ts";
import { canonical, sha256 } from "./hash.ts";
import { installedPackages } from "./installed.ts";
import { isOfPackage, linkedPackages, pathsIn } from "./linked.ts";
import { remember, type Remembered } from "./remembered.ts";

/** One package of a module graph. */
export interface GraphPackage {
  readonly integrity: string;
  readonly dependencies: readonly string[];
  /** Paths of the files of one that lies in a folder of this machine. */
  readonly files: readonly string[];
}

interface Means {
  readonly info: Info;
  /** Integrities by id, as `deno.lock` has them. */
  readonly locked: Readonly<Record<string, { readonly integrity?: string }>>;
  /** Folders that replace the registry. */
  readonly links: readonly string[];
  /** The folder of copies of modules from other hosts, or null. */
  readonly vendor: string | null;
  /** Ids of packages that are imported by more than the engine itself. */
  readonly reached: readonly string[];
  /** Folders of packages below `node_modules` that are imported directly. */
  readonly folders: Iterable<string>;
  readonly root: string;
  readonly files: Record<string, Remembered>;
}

/** What the copies of modules from other hosts are called among the packages, all together. */
export const VENDOR = "vendor";

/** All packages by id, and the ids of those in some folders. */
export function graphPackages({ info, locked, links, vendor, reached, folders, root, files }: Means): {
  readonly packages: Readonly<Record<string, GraphPackage>>;
  readonly ids: ReadonlyMap<string, string>;
} {
  const linked = linkedPackages(links);
  linked.flatMap(({ paths }) => paths).forEach((path) => files[path] ??= remember(path));
  const used = closure(reached, info);
  const packages: Record<string, GraphPackage> = {};
  function put(id: string, { kind, paths, dependencies }: {
    readonly kind: "linked" | "installed" | "vendored";
    readonly paths: readonly string[];
    readonly dependencies: readonly string[];
  }): void {
    const contents = paths.map((path) => (files[path] ??= remember(path)).sha256);
    const integrity = `${kind} ${sha256(canonical(contents))}`;
    packages[id] = { integrity, dependencies, files: paths.filter((path) => !path.endsWith("/")) };
  }
  for (const [id, { dependencies, localPath }] of Object.entries(info.npmPackages ?? {})) {
    const paths = linked.find((one) => isOfPackage(id, one))?.paths;
    if (paths !== undefined) put(id, { kind: "linked", paths, dependencies });
    else if (localPath?.includes("/node_modules/") && used.has(id)) {
      put(id, { kind: "installed", paths: pathsIn(localPath).sort(), dependencies });
    } else packages[id] = { integrity: locked[id]?.integrity ?? "not in deno.lock", dependencies, files: [] };
  }
  if (vendor !== null) {
    const { ino } = files[`${vendor}/`] ??= remember(`${vendor}/`);
    const paths = ino === -1 ? [] : pathsIn(vendor).sort();
    put(VENDOR, { kind: "vendored", paths, dependencies: [] });
  }
  const installed = installedPackages(folders, { root, files });
  const idOf = (folder: string) => installed.get(folder)?.id ?? [];
  for (const { id, paths, needs } of installed.values()) {
    put(id, { kind: "installed", paths, dependencies: needs.flatMap(idOf) });
  }
  return { packages, ids: new Map([...installed].map(([folder, { id }]) => [folder, id])) };
}

/** Some packages and all that they depend on. */
function closure(ids: readonly string[], { npmPackages = {} }: Info): ReadonlySet<string> {
  const found = new Set(ids);
  for (const id of found) npmPackages[id]?.dependencies.forEach((next) => found.add(next));
  return found;
}
