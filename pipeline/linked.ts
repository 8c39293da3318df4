/** Packages that `links` in `deno.json` takes from a folder of this machine: what is in them is code like the rest. */
import { join } from "node:path";
import { stampOf } from "./stamp.ts";

/** A package in a folder. */
export interface LinkedPackage {
  /** `name@version`. */
  readonly id: string;
  /** Absolute paths of its files, sorted, and of its folders, which end in "/". */
  readonly paths: readonly string[];
}

/** Reads what packages are in some folders; a folder without a `package.json` holds modules that are followed. */
export function linkedPackages(folders: readonly string[]): readonly LinkedPackage[] {
  return folders.flatMap((folder) => {
    const path = join(folder, "package.json");
    if (stampOf(path) === null) return [];
    const { name, version } = JSON.parse(Deno.readTextFileSync(path));
    return [{ id: `${name}@${version}`, paths: pathsIn(folder).sort() }];
  });
}

/** Whether an npm id is of a package: that of one with peers goes on behind the version. */
export function isOfPackage(npmId: string, { id }: Pick<LinkedPackage, "id">): boolean {
  return npmId === id || npmId.startsWith(`${id}_`);
}

/** Absolute paths of a package's files and, with a "/" at the end, of its folders. */
export function pathsIn(folder: string): string[] {
  const paths = [`${folder}/`];
  for (const { name } of Deno.readDirSync(folder)) {
    if (name === "node_modules" || name === ".git") continue;
    const path = join(folder, name);
    // what a link leads to counts; one that leads nowhere is no file
    if (stampOf(path) === null) continue;
    if (Deno.statSync(path).isDirectory) paths.push(...pathsIn(path));
    else paths.push(path);
  }
  return paths;
}
