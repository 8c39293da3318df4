/** The configuration files that rule modules, found as Deno finds them: of a package by itself, or of a workspace. */
import { dirname, join, relative } from "node:path";
import { stampOf } from "./stamp.ts";

/** `deno.json`, as far as it is used. */
interface Config {
  readonly workspace?: readonly string[] | { readonly members?: readonly string[] };
  readonly imports?: Readonly<Record<string, string>>;
  readonly scopes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly importMap?: string;
  readonly lock?: string | boolean | { readonly path?: string };
  readonly links?: readonly string[];
  readonly compilerOptions?: Readonly<Record<string, unknown>>;
}

/** Looks for configurations; what it has read it does not read again. */
export interface Configs {
  /**
   * The folder that rules the modules of a folder: its workspace's, or that of the nearest configuration, or itself.
   */
  root(folder: string): string;
  /** The configuration file of a root; null where there is none. */
  file(root: string): string | null;
  /** Whether an import may mean one thing in some folders and another elsewhere: by scopes, or a member's own map. */
  isLocal(
    specifier: string,
    places: { readonly root: string; readonly folders: readonly string[] },
  ): boolean;
  /** The lock file of a root; null where there is none. */
  lock(root: string): string | null;
  /** The folders of packages that a root takes from there instead of a registry, by `links`. */
  links(root: string): readonly string[];
  /** All files, there or not, whose change can make imports in some folders below a root mean something else. */
  files(root: string, folders: Iterable<string>): readonly string[];
  /**
   * The options of a root and of its members that change what TypeScript emits, by file; files without any are left
   * out.
   */
  emit(root: string, folders: Iterable<string>): Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const NAMES = ["deno.json", "deno.jsonc"] as const;
const EMIT = /^(jsx.*|experimentalDecorators|emitDecoratorMetadata)$/;

/** Opens a look-out for configurations. */
export function openConfigs(): Configs {
  const known = new Map<string, Config | null>();
  function read(folder: string): Config | null {
    const found = known.get(folder);
    if (found !== undefined) return found;
    const path = file(folder);
    const config: Config | null = path === null ? null : parse(Deno.readTextFileSync(path));
    known.set(folder, config);
    return config;
  }
  function root(folder: string): string {
    const own = above(folder).find((place) => read(place) !== null || stampOf(`${place}/deno.lock`) !== null);
    if (own === undefined) return folder;
    if (read(own)?.workspace !== undefined) return own;
    return above(own).slice(1).find((place) => isMember(relative(place, own), read(place)?.workspace)) ?? own;
  }
  function isLocal(
    specifier: string,
    { root, folders }: { readonly root: string; readonly folders: readonly string[] },
  ): boolean {
    const map = read(root)?.importMap;
    const apart = map === undefined || /^\w+:/.test(map) ? null : parse(Deno.readTextFileSync(join(root, map)));
    const members = folders.flatMap((folder) => above(folder)).filter((folder) => folder !== root);
    const maps = [
      ...members.map((folder) => read(folder)?.imports),
      ...Object.values(read(root)?.scopes ?? {}),
      ...Object.values(apart?.scopes ?? {}),
    ];
    return maps.flatMap((imports) => Object.keys(imports ?? {})).some((key) =>
      key === specifier || (key.endsWith("/") && specifier.startsWith(key))
    );
  }
  function lock(root: string): string | null {
    const option = read(root)?.lock ?? true;
    if (option === false) return null;
    const path = typeof option === "string" ? option : typeof option === "object" ? option.path : undefined;
    return join(root, path ?? "deno.lock");
  }
  /** The folders from some below a root up to it. */
  function between(root: string, folders: Iterable<string>): readonly string[] {
    const inside = [...folders].filter((folder) => folder === root || folder.startsWith(`${root}/`));
    return [...new Set([root, ...inside.flatMap((folder) => above(folder).slice(0, depthBelow(root, folder)))])];
  }
  return {
    root,
    file,
    isLocal,
    lock,
    links: (root) => (read(root)?.links ?? []).map((folder) => join(root, folder)),
    files(root, folders) {
      const places = between(root, folders);
      const maps = places.flatMap((folder) => {
        const map = read(folder)?.importMap;
        return map === undefined || /^\w+:/.test(map) ? [] : [join(folder, map)];
      });
      const ruling = places.flatMap((folder) => [...NAMES, "package.json"].map((name) => `${folder}/${name}`));
      return [...ruling, ...maps, ...[lock(root)].flatMap((path) => path ?? [])];
    },
    emit(root, folders) {
      const found = between(root, folders).flatMap((folder) => {
        const options = Object.entries(read(folder)?.compilerOptions ?? {}).filter(([name]) => EMIT.test(name));
        return options.length === 0 ? [] : [[`${folder}/deno.json`, Object.fromEntries(options)] as const];
      });
      return Object.fromEntries(found);
    },
  };
}

/** The configuration file in a folder. */
function file(folder: string): string | null {
  const name = NAMES.find((name) => stampOf(`${folder}/${name}`) !== null);
  return name === undefined ? null : `${folder}/${name}`;
}

/** A folder and those that it lies in, from the inside out. */
function above(folder: string): readonly string[] {
  const folders = [folder];
  for (let at = folder; at !== dirname(at); at = dirname(at)) folders.push(dirname(at));
  return folders;
}

function depthBelow(root: string, folder: string): number {
  return folder === root ? 0 : relative(root, folder).split("/").length;
}

/** Whether a folder, relative to the workspace's, is one of its members: paths, where "*" stands for a name. */
function isMember(path: string, workspace: Config["workspace"]): boolean {
  const members = workspace === undefined ? [] : "members" in workspace ? workspace.members ?? [] : workspace;
  return (members as readonly string[]).some((member) => {
    const parts = member.replace(/^\.\//, "").replace(/\/$/, "").split("*");
    const pattern = parts.map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")).join("[^/]*");
    return new RegExp(`^${pattern}$`).test(path);
  });
}

/** JSON with comments and trailing commas. Deno itself says where a file is malformed. */
function parse(text: string): Config {
  const strings = '("(?:\\\\.|[^"\\\\])*")';
  const bare = text.replaceAll(new RegExp(`${strings}|//[^\\n]*|/\\*[^]*?\\*/`, "g"), "$1");
  return JSON.parse(bare.replaceAll(new RegExp(`${strings}|,(?=\\s*[}\\]])`, "g"), "$1"));
}
