/** The configuration files that rule modules, found as Deno finds them: of a package by itself, or of a workspace. */
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseJsonc } from "./jsonc.ts";
import { stampOf } from "./stamp.ts";
import { emitOptions, tsConfigs } from "./ts_config.ts";

/** `deno.json`, as far as it is used. */
interface Config {
  readonly workspace?: readonly string[] | { readonly members?: readonly string[] };
  readonly imports?: Readonly<Record<string, string>>;
  readonly scopes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly importMap?: string;
  readonly lock?: string | boolean | { readonly path?: string };
  readonly links?: readonly string[];
  readonly vendor?: boolean;
  readonly nodeModulesDir?: string | boolean;
  readonly compilerOptions?: Readonly<Record<string, unknown>>;
}

/** `deno.lock`, as far as it is used. */
export interface Lock {
  /** A package as it is asked for → version, with those of its peers. */
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<Record<string, { readonly integrity?: string }>>;
  /** URL → SHA-256. */
  readonly remote: Readonly<Record<string, string>>;
}

/** Looks for configurations; what it has read it does not read again. */
export interface Configs {
  /**
   * The folder that rules the modules of a folder: its workspace's, or that of the nearest configuration, without any
   * that of the nearest `package.json`, or itself.
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
  /** What the lock file of a root says; nothing where there is none. */
  locked(root: string): Lock;
  /** The folder in which a root keeps modules from other hosts; null where it keeps none. */
  vendor(root: string): string | null;
  /** Whether a root's configuration says the same as a flag: `--vendor`, `--node-modules-dir` or `--import-map`. */
  says(root: string, flag: string): boolean;
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

/** Opens a look-out for configurations. */
export function openConfigs(): Configs {
  const known = new Map<string, Config | null>();
  function read(folder: string): Config | null {
    const found = known.get(folder);
    if (found !== undefined) return found;
    const path = file(folder);
    const config: Config | null = path === null ? null : parseJsonc<Config>(Deno.readTextFileSync(path));
    known.set(folder, config);
    return config;
  }
  function ruledBy(folder: string): string {
    const own = above(folder).find((place) => read(place) !== null || stampOf(`${place}/deno.lock`) !== null);
    if (own === undefined) return above(folder).find((place) => stampOf(`${place}/package.json`) !== null) ?? folder;
    if (read(own)?.workspace !== undefined) return own;
    return above(own).slice(1).find((place) => isMember(relative(place, own), read(place)?.workspace)) ?? own;
  }
  function isLocal(
    specifier: string,
    { root, folders }: { readonly root: string; readonly folders: readonly string[] },
  ): boolean {
    const map = read(root)?.importMap;
    const apart = map === undefined || /^\w+:/.test(map) ? null : join(root, map);
    const scopes = apart === null ? {} : parseJsonc<Config>(Deno.readTextFileSync(apart)).scopes;
    const members = folders.flatMap((folder) => above(folder)).filter((folder) => folder !== root);
    const maps = [
      ...members.map((folder) => read(folder)?.imports),
      ...scopesOf(folders, { scopes: read(root)?.scopes, base: root }),
      ...scopesOf(folders, { scopes, base: dirname(apart ?? root) }),
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
  /** Whether a `tsconfig.json` in a folder counts, which one without a configuration or with options there does not. */
  function isObeyed(folder: string): boolean {
    if (read(folder)?.compilerOptions !== undefined) return false;
    return read(folder) !== null || stampOf(`${folder}/package.json`) !== null;
  }
  return {
    root: ruledBy,
    file,
    isLocal,
    lock,
    locked(root) {
      const path = lock(root);
      const text = path === null || stampOf(path) === null ? "{}" : Deno.readTextFileSync(path);
      return { specifiers: {}, npm: {}, remote: {}, ...JSON.parse(text) };
    },
    vendor: (root) => read(root)?.vendor === true ? join(root, "vendor") : null,
    says(root, flag) {
      const [name, value = flag.startsWith("--vendor") ? "true" : "auto"] = flag.split("=");
      const { vendor = false, importMap } = read(root) ?? {};
      if (name === "--import-map") return importMap !== undefined && resolve(value) === resolve(root, importMap);
      const { nodeModulesDir = stampOf(`${root}/package.json`) === null ? "none" : "manual" } = read(root) ?? {};
      const said = name === "--vendor" ? vendor : name === "--node-modules-dir" ? nodeModulesDir : undefined;
      return String(said === true && name !== "--vendor" ? "auto" : said) === value;
    },
    links: (root) => (read(root)?.links ?? []).map((folder) => join(root, folder)),
    files(root, folders) {
      const places = between(root, folders);
      const maps = places.flatMap((folder) => {
        const map = read(folder)?.importMap;
        return map === undefined || /^\w+:/.test(map) ? [] : [join(folder, map)];
      });
      const ruling = places.flatMap((folder) => [...NAMES, "package.json"].map((name) => `${folder}/${name}`));
      // a package.json above a project may say what its imports mean
      const higher = above(root).slice(1).map((folder) => `${folder}/package.json`);
      const typed = places.flatMap((folder) => isObeyed(folder) ? [...tsConfigs(folder).keys()] : []);
      return [...ruling, ...higher, ...typed, ...maps, ...[lock(root)].flatMap((path) => path ?? [])];
    },
    emit(root, folders) {
      // a project of its own inside says nothing where another one rules
      const places = between(root, folders).filter((folder) => folder === root || ruledBy(folder) === root);
      const found = places.flatMap((folder) => [
        [`${folder}/deno.json`, emitOptions(read(folder)?.compilerOptions)] as const,
        ...isObeyed(folder) ? tsConfigs(folder) : [],
      ]);
      return Object.fromEntries(found.filter(([, options]) => Object.keys(options).length > 0));
    },
  };
}

/** Those maps of some scopes that hold for modules in one of some folders. */
function scopesOf(
  folders: readonly string[],
  { scopes = {}, base }: { readonly scopes: Config["scopes"]; readonly base: string },
): readonly Readonly<Record<string, string>>[] {
  const urlOf = (folder: string) => `${pathToFileURL(folder).href}/`;
  const places = folders.map(urlOf);
  return Object.entries(scopes).flatMap(([scope, imports]) => {
    const url = URL.parse(scope, urlOf(base))?.href ?? scope;
    const holds = places.some((place) => place.startsWith(url) || new URL(".", url).href === place);
    return holds ? [imports] : [];
  });
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
