/**
 * The graph of some modules: what each imports, loads by `new Worker(new URL(…))` and reads by `import.meta.url`, with
 * the content of each. It is remembered with the stamps of all files that shaped it.
 */
import { dirname } from "node:path";
import type { Configs } from "./config.ts";
import { type Ask, askDeno, type Info, type InfoModule, isData, merged } from "./deno_info.ts";
import { ENGINE } from "./engine_url.ts";
import { type GraphPackage, graphPackages, VENDOR } from "./graph_packages.ts";
import { sha256 } from "./hash.ts";
import { packageFolder } from "./installed.ts";
import type { Reads } from "./module_reads.ts";
import { isCode, isModule, type Scan, scan } from "./module_scan.ts";
import { hashOf, remember, type Remembered } from "./remembered.ts";
import { sameStamp, stampOf } from "./stamp.ts";
import type { State } from "./state.ts";
import { urlPath } from "./url_path.ts";

/** A module graph with the stamps under which it holds. */
export interface Graph {
  /** When its files were read, in ms since the epoch. */
  readonly readAt: number;
  /** Local path → stamp and content, of every file that shaped the graph. */
  readonly files: Readonly<Record<string, Remembered>>;
  /** By URL. */
  readonly modules: Readonly<Record<string, GraphModule>>;
  /** Package id → integrity and dependencies. */
  readonly packages: Readonly<Record<string, GraphPackage>>;
  /** Path of a configuration → its options that change what is emitted. */
  readonly emit: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** One module of a {@link Graph}. */
export interface GraphModule extends Omit<Scan, "module" | "loads"> {
  /** It is imported as text or bytes alone. */
  readonly isData: boolean;
  /** URLs of modules that it imports or loads. */
  readonly imports: readonly string[];
  /** Those of them that are loaded before it begins. */
  readonly statics: readonly string[];
  readonly packages: readonly string[];
  /** Addresses of what Deno has built in, such as `node:fs`. */
  readonly builtins: readonly string[];
  /** Imports that are not addresses by themselves → what they came to. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Imports that no configuration gives a meaning. */
  readonly unresolved: readonly string[];
  /** Why it cannot be loaded. */
  readonly error: string | null;
}

/** What a graph is made with. */
interface Means {
  /** The folder whose configuration rules the modules. */
  readonly root: string;
  readonly configs: Configs;
  readonly ask?: Ask;
  /** What texts reach for, by SHA-256, as far as known from before. */
  readonly known?: ReadonlyMap<string, Reads>;
}

/** Raised when {@link Graph} changes its form. */
const FORM = 11;

/** The graph of some modules that one root rules: as it is remembered, or read anew. */
export async function loadGraph(
  modules: readonly string[],
  { state, root, configs }: Omit<Means, "ask" | "known"> & { readonly state: State },
): Promise<Graph> {
  const list = [...modules].sort().join("\n");
  const name = `${FORM} ${root} ${modules.length === 1 ? list : sha256(list)}`;
  const stored = parsed(state.closure(name));
  const files = stored === null ? null : current(stored);
  if (stored !== null && files !== null) {
    // a clock that was set back since has put the past into its future
    const readAt = Math.min(stored.readAt, Date.now());
    if (files === stored.files && readAt === stored.readAt) return stored;
    const graph = { ...stored, files, readAt };
    state.putClosure(name, JSON.stringify(graph));
    return graph;
  }
  const scripts = Object.entries(stored?.modules ?? {}).filter(([url, { isData }]) => !isData && isCode(new URL(url)));
  const known = new Map(scripts.map(([, { sha256, reads }]) => [sha256, reads]));
  const graph = await readGraph(modules, { root, configs, known });
  state.putClosure(name, JSON.stringify(graph));
  return graph;
}

/** A stored graph; null for one that is absent or damaged, which is read anew. */
function parsed(text: string | null): Graph | null {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * A graph's files, if none has changed; null otherwise. Where a stamp proves nothing yet, the content is compared; a
 * stamp that has come of age meanwhile is in the record that is returned.
 */
function current({ files }: Graph): Graph["files"] | null {
  const grown: Record<string, Remembered> = {};
  for (const [path, before] of Object.entries(files)) {
    const now = stampOf(path);
    if (!sameStamp(before.ino === -1 ? null : before, now)) return null;
    if (!before.racy || now === null) continue;
    if (hashOf(path) !== before.sha256) return null;
    if (!now.racy) grown[path] = { ...now, sha256: before.sha256 };
  }
  return Object.keys(grown).length === 0 ? files : { ...files, ...grown };
}

/** Reads the graph of some modules, and of what they load by `import.meta.url`. */
export async function readGraph(modules: readonly string[], means: Means): Promise<Graph> {
  const { root, configs, known = new Map(), ask = askDeno({ root, config: configs.file(root) }) } = means;
  const files: Record<string, Remembered> = {};
  const scans = new Map<string, Scan>();
  const asked = new Set<string>();
  const isScanned = (url: string, asData: boolean) => {
    const before = scans.get(url)?.module;
    return before !== undefined && (asData || !isData(before));
  };
  const readAt = Date.now();
  let info: Info = { modules: [], redirects: {} };
  for (let queue = modules; queue.length > 0;) {
    queue.forEach((url) => asked.add(url));
    info = merged([info, await ask(queue)]);
    const loaded = new Set<string>();
    for (const module of info.modules) {
      if (!isModule(module.specifier) || isScanned(module.specifier, isData(module))) continue;
      const found = await scan(module, { files, known });
      scans.set(module.specifier, found);
      found.loads.forEach((url) => loaded.add(url));
    }
    queue = [...loaded].filter((url) => !asked.has(url) && !isScanned(url, false));
  }
  return assemble(scans, { readAt, info, files, root, configs, asked });
}

interface Assembly extends Pick<Means, "root" | "configs"> {
  readonly info: Info;
  readonly files: Record<string, Remembered>;
  readonly readAt: number;
  /** URLs of the modules that the graph is of. */
  readonly asked: ReadonlySet<string>;
}

function assemble(scans: ReadonlyMap<string, Scan>, { readAt, info, files, root, configs, asked }: Assembly): Graph {
  const locked = configs.locked(root);
  const follow = (specifier: string) => info.redirects[specifier] ?? specifier;
  const targetsOf = (dependencies: InfoModule["dependencies"] = []) =>
    dependencies.flatMap(({ code }) => code?.specifier === undefined ? [] : [follow(code.specifier)]);
  const npm = new Map(info.modules.flatMap(({ specifier, npmPackage }) => npmPackage ? [[specifier, npmPackage]] : []));
  const ofEngine = (url: string) => url.startsWith(ENGINE);
  // the engine's packages are no stage's code; their files would have to be read all the same
  const counts = (url: string) => !ofEngine(url) || asked.values().some(ofEngine);
  const imported = [...scans].flatMap(([url, { module }]) => counts(url) ? targetsOf(module.dependencies) : []);
  const { packages, ids } = graphPackages({
    info,
    locked: locked.npm,
    links: configs.links(root),
    vendor: configs.vendor(root),
    reached: imported.flatMap((target) => npm.get(target) ?? []),
    folders: new Set([...asked, ...imported].flatMap((url) => folderOf(url, scans) ?? [])),
    root,
    files,
  });
  const modules: Record<string, GraphModule> = {};
  const folders = new Set([root]);
  for (const [specifier, { module, loads, sha256, ...found }] of scans) {
    const { error, dependencies = [] } = module;
    const isFile = specifier.startsWith("file:");
    if (isFile) folders.add(dirname(urlPath(specifier)));
    const targets = targetsOf(dependencies);
    const broken = dependencies.filter(({ code }) => code?.error !== undefined);
    modules[specifier] = {
      ...found,
      sha256: isFile ? sha256 : locked.remote[specifier] ?? hashRemote(found.local),
      isData: isData(module),
      imports: [...targets.filter(isModule), ...loads.map(follow)],
      statics: targetsOf(dependencies.filter(({ isDynamic }) => isDynamic !== true)).filter(isModule),
      packages: [
        // Deno runs what lies there, whatever the lock says
        ...isFile || packages[VENDOR] === undefined ? [] : [VENDOR],
        ...targets.flatMap((target) => npm.get(target) ?? []),
        ...[folderOf(specifier, scans)].flatMap((folder) => folder === null ? [] : ids.get(folder) ?? []),
      ],
      builtins: [...new Set(targets.filter((target) => target.startsWith("node:")))],
      aliases: aliasesOf(specifier, dependencies),
      unresolved: broken.map(({ specifier }) => specifier),
      error: error ?? broken[0]?.code?.error ?? null,
    };
  }
  for (const path of configs.files(root, folders)) files[path] ??= remember(path);
  return { readAt, files, modules, packages, emit: configs.emit(root, folders) };
}

/** The folder of the package that a module is of; null for one that is of none below `node_modules`. */
function folderOf(url: string, scans: ReadonlyMap<string, Scan>): string | null {
  const local = scans.get(url)?.local;
  return local === undefined ? null : packageFolder(local);
}

/**
 * A module's imports that are not addresses by themselves: an import map, or a workspace's member, says what they
 * mean.
 */
function aliasesOf(module: string, dependencies: InfoModule["dependencies"] = []): Record<string, string> {
  const pairs = dependencies.flatMap(({ specifier, code }) => {
    const target = code?.specifier;
    if (target === undefined || URL.parse(specifier, module)?.href === target) return [];
    return [[specifier, target]];
  });
  return Object.fromEntries(pairs);
}

/** Deno keeps a module from elsewhere with a last line about its download, which does not count. */
function hashRemote(path: string): string {
  if (stampOf(path) === null) return "";
  return sha256(Deno.readTextFileSync(path).replace(/\n\/\/ denoCacheMetadata=.*$/, ""));
}
