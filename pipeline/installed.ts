/** Packages that lie in a `node_modules` folder: what is in them is code like the rest, whoever put it there. */
import { dirname, join, relative } from "node:path";
import { PipelineError } from "./errors.ts";
import { pathsIn } from "./linked.ts";
import { remember, type Remembered } from "./remembered.ts";

/** A package in a folder below some `node_modules`. */
export interface InstalledPackage {
  /** `name@version`; with " in FOLDER" for a second one of that name and version. */
  readonly id: string;
  /** Absolute paths of its files, sorted, and of its folders, which end in "/". */
  readonly paths: readonly string[];
  /** Folders of the packages that its `package.json` names. */
  readonly needs: readonly string[];
}

const INSIDE = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/@.][^\\/]*)[\\/]/;

/** The folder of the package that a file is of; null for a file that lies in no `node_modules`. */
export function packageFolder(path: string): string | null {
  return INSIDE.exec(path)?.[1] ?? null;
}

/** Where the packages are found, and where the files are remembered that say so. */
interface Place {
  readonly root: string;
  readonly files: Record<string, Remembered>;
}

/** Reads the packages in some folders, and all that they need, by folder. */
export function installedPackages(
  folders: Iterable<string>,
  { root, files }: Place,
): ReadonlyMap<string, InstalledPackage> {
  const found = new Map<string, InstalledPackage>();
  const ids = new Set<string>();
  const all = new Set(folders);
  for (const folder of all) {
    const { name, version, needs } = manifestOf(folder);
    const plain = `${name}@${version}`;
    const id = ids.has(plain) ? `${plain} in ${relative(root, folder)}` : plain;
    ids.add(id);
    const near = needs.flatMap((need) => placeOf(need, { folder, files }) ?? []);
    near.forEach((folder) => all.add(folder));
    found.set(folder, { id, paths: pathsIn(folder).sort(), needs: near });
  }
  return found;
}

function manifestOf(folder: string): { name: string; version: string; needs: readonly string[] } {
  const path = `${folder}/package.json`;
  try {
    const { name, version, ...manifest } = JSON.parse(Deno.readTextFileSync(path));
    const { dependencies, optionalDependencies, peerDependencies } = manifest;
    const needs = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
    return { name: String(name), version: String(version), needs };
  } catch (cause) {
    throw new PipelineError(`${path} does not say which package this is: install it again`, { cause });
  }
}

/** The folder of a package as another finds it; null where it is not installed, as an optional one may be. */
function placeOf(
  name: string,
  { folder, files }: Pick<Place, "files"> & { readonly folder: string },
): string | null {
  for (let at = folder;; at = dirname(at)) {
    const place = join(at, "node_modules", name);
    const path = `${place}/package.json`;
    // one that comes there later would be found instead
    const { ino } = files[path] ??= remember(path);
    if (ino !== -1) return Deno.realPathSync(place);
    if (at === dirname(at)) return null;
  }
}
