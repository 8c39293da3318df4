/**
 * The digest of a stage's code: its module and all that it imports, dynamic imports included, by content; npm packages
 * with all that they depend on, by the integrity in `deno.lock`. What the modules load or read by
 * `import.meta.url` counts too (module_reads.ts). One `deno info --json` for each configuration finds the graph; it is
 * remembered by the stamps of every file in it. Imports of types alone vanish at run time and do not count. Nor does
 * the engine itself: what it promises is versioned by the key's schema, so a new progress bar recomputes nothing.
 * What cannot be followed is an error, for an edit there would go unnoticed.
 *
 * Of `deno.json` (the workspace's and its members') just what it made of the imports counts: the modules and packages
 * that they came to, and which alias stands for which. Beside it, the few compiler options that change what TypeScript
 * emits. Tasks, formatting and type-checking change nothing at run time. The files as a whole, with the lock and the
 * import map, are among those by whose stamps the graph is remembered.
 */
import { dirname, relative } from "node:path";
import { checkModule, checkOtherProgram, type Resolve } from "./code_check.ts";
import { type Configs, openConfigs } from "./config.ts";
import { ENGINE } from "./engine_url.ts";
import { PipelineError } from "./errors.ts";
import { canonical, sha256 } from "./hash.ts";
import { packageFolder } from "./installed.ts";
import { VENDOR } from "./graph_packages.ts";
import { type Graph, loadGraph } from "./module_graph.ts";
import { notCode } from "./not_code.ts";
import { checkFlags, commandLine, namedFolder } from "./program_flags.ts";
import { type Stamp, stampOf } from "./stamp.ts";
import type { State } from "./state.ts";
import { urlPath } from "./url_path.ts";

/**
 * A stage module's closure: paths relative to the project (the workspace's folder, or that of `deno.json`), URLs and
 * packages.
 */
export interface Code {
  /** Path, or URL of a module from elsewhere → SHA-256; also of other files that a module reads. */
  readonly modules: Readonly<Record<string, string>>;
  /** `name@version` → integrity. */
  readonly packages: Readonly<Record<string, string>>;
  /** What stands for another address → that address; with " in MODULE" where two modules mean different ones. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** Gives the code of stage modules (by URL). */
export type CodeDigests = (modules: readonly string[]) => Promise<ReadonlyMap<string, Code>>;

/** A file of a stage's code. */
export interface CodeFile {
  /** What the code's digest calls it. */
  readonly name: string;
  /** Its stamp when it was read for the digest, and its content. */
  readonly stamp: Stamp;
  readonly sha256: string;
  /** When some program first saw it with this stamp, in ms since the epoch. */
  readonly readAt: number;
  /**
   * The moment from which on the program may have it in memory as it is: its start, that in which the stage was
   * defined, or that in which the engine was loaded, before which Deno puts packages where they are. Null for copies of
   * other hosts' modules, which Deno may put there at any time.
   */
  readonly since: "the start" | "the engine" | "the definition" | null;
  /** It may be loaded or read at any time, again and again. */
  readonly isReadAgain: boolean;
}

/** By path. */
export type CodeFiles = ReadonlyMap<string, CodeFile>;

/** {@link CodeDigests} with the files of which they are made. */
export interface WatchedDigests extends CodeDigests {
  /** The files of a module's code, as they were when it was last asked for; none of one that was not. */
  files(module: string): CodeFiles;
}

/** Options of {@link codeDigests}. */
export interface CodeOptions {
  /** URL of the program's main module. Default: of this program. */
  readonly entry?: string;
  /** Default: `import.meta.resolve`. */
  readonly resolve?: Resolve;
  /** The command line's words, without the program's own; null: not known. Default: of this program. */
  readonly words?: readonly string[] | null;
}

/** The default {@link CodeDigests}: asks Deno about the main module, and about any stage that it does not reach. */
export function codeDigests(
  state: State,
  { entry = mainModule(), resolve = resolveHere, words = wordsFor(entry) }: CodeOptions = {},
): WatchedDigests {
  const files = new Map<string, CodeFiles>();
  /** All modules asked for so far, by the folder whose configuration rules them. */
  const asked = new Map<string, Set<string>>();
  const digests: CodeDigests = async (modules) => {
    const configs = openConfigs();
    const here = namedFolder(words ?? []) ?? (entry.startsWith("file:") ? dirname(urlPath(entry)) : null);
    const program = here === null ? null : configs.root(here);
    if (program !== null) checkFlags(words ?? [], { root: program, configs });
    // what rules a program without a configuration of its own is known by its flags alone
    const isRuled = program !== null && (words !== null || configs.file(program) !== null);
    const means = remembering(resolve);
    const rootOf = (module: string) => {
      if (module.startsWith("file:")) return configs.root(dirname(urlPath(module)));
      if (program === null) throw new PipelineError(`${module} has no folder whose deno.json rules it`);
      return program;
    };
    for (const module of modules) asked.set(rootOf(module), (asked.get(rootOf(module)) ?? new Set()).add(module));
    const wanted = Map.groupBy(new Set(modules), rootOf);
    const result = new Map<string, Code>();
    await Promise.all([...wanted].map(async ([root, own]) => {
      const main = root === program && exists(entry) ? await loadGraph([entry], { state, root, configs }) : null;
      const others = [...asked.get(root) ?? []].filter((module) => main?.modules[module] === undefined);
      const rest = others.some((module) => own.includes(module))
        ? await loadGraph(others, { state, root, configs })
        : null;
      const atStart = main === null ? new Set<string>() : staticsOf(entry, main);
      const importers = main === null ? new Map<string, string[]>() : importersIn(main);
      for (const module of own) {
        const graph = main?.modules[module] === undefined ? rest : main;
        if (graph === null) continue;
        const closure = closureOf(module, { graph, root, configs, resolve: means, atStart, importers });
        if (program !== null && isRuled && root !== program) {
          const folders = [...closure.files.keys()].map((path) => dirname(path));
          checkOtherProgram({ root, program, configs, folders, packages: Object.keys(closure.code.packages) });
        }
        result.set(module, closure.code);
        files.set(module, closure.files);
      }
    }));
    return result;
  };
  return Object.assign(digests, { files: (module: string) => files.get(module) ?? new Map() });
}

/** A module and all that is loaded before it begins. */
function staticsOf(module: string, { modules }: Graph): ReadonlySet<string> {
  const found = new Set([module]);
  for (const url of found) modules[url]?.statics.forEach((next) => found.add(next));
  return found;
}

/** By URL, the modules that import a module. */
function importersIn({ modules }: Graph): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [url, { imports }] of Object.entries(modules)) {
    for (const next of imports) {
      const before = found.get(next);
      if (before === undefined) found.set(next, [url]);
      else before.push(url);
    }
  }
  return found;
}

function exists(url: string): boolean {
  return stampOf(urlPath(url)) !== null;
}

function resolveHere(specifier: string): string | null {
  try {
    return import.meta.resolve(notCode(specifier));
  } catch {
    // where it has no meaning here, it is for the module's own folder alone
    return null;
  }
}

/** Asks once for each import. */
function remembering(resolve: Resolve): Resolve {
  const known = new Map<string, string | null>();
  return (specifier) => {
    const before = known.get(specifier);
    if (before !== undefined) return before;
    const here = resolve(specifier);
    known.set(specifier, here);
    return here;
  };
}

/** The command line of this program, null where it cannot be known; another one, as of a test, is taken for plain. */
function wordsFor(entry: string): readonly string[] | null {
  return entry === mainModule() ? commandLine() : [];
}

/** Empty in a worker, which is told none. */
function mainModule(): string {
  return Deno.mainModule ?? "";
}

type Watch = (path: string, file: Pick<CodeFile, "name" | "since" | "isReadAgain">) => void;

interface ClosureOptions {
  readonly graph: Graph;
  readonly root: string;
  readonly configs: Configs;
  readonly resolve: Resolve;
  /** URLs of the modules that the program loaded as it started. */
  readonly atStart: ReadonlySet<string>;
  /** By URL, the modules of the program that import a module. */
  readonly importers: ReadonlyMap<string, readonly string[]>;
}

/** @internal */
export function closureOf(
  module: string,
  { graph, root, configs, resolve, atStart, importers }: ClosureOptions,
): { readonly code: Code; readonly files: CodeFiles } {
  const statics = staticsOf(module, graph);
  const files = new Map<string, CodeFile>();
  const watch: Watch = (path, file) => {
    const stamp = graph.files[path];
    if (stamp !== undefined) files.set(path, { ...file, stamp, sha256: stamp.sha256, readAt: graph.readAt });
  };
  // a stage that is defined in a function may be so long after its module was loaded
  const since = graph.modules[module]?.reads.definesLater === true ? "the start" : "the definition";
  const nameOf = (url: string, path = urlPath(url)) => relative(root, path).replaceAll("\\", "/");
  const modules: Record<string, string> = {};
  const packages: Record<string, string> = {};
  const aliases: Alias[] = [];
  const seen = new Set([module]);
  const queue = [module];
  const isEngine = (url: string) => url.startsWith(ENGINE) && !module.startsWith(ENGINE);
  for (let url = queue.pop(); url !== undefined; url = queue.pop()) {
    const found = graph.modules[url];
    if (found === undefined) throw new PipelineError(`module ${url} is not in the graph of ${module}`);
    checkModule(url, found, { root, configs, resolve });
    const name = url.startsWith("file:") ? nameOf(url, found.local) : url;
    modules[name] = found.sha256;
    for (const path of found.files) {
      modules[nameOf(path, path)] = graph.files[path]?.sha256 ?? "";
    }
    addPackages(found.packages, { graph, packages, watch });
    for (const [alias, target] of Object.entries(found.aliases)) {
      if (isEngine(target)) continue;
      aliases.push({ alias, module: name, target: target.startsWith("file:") ? nameOf(target) : target });
    }
    for (const next of found.imports) {
      if (seen.has(next) || isEngine(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  for (const url of seen) {
    const found = graph.modules[url];
    if (found === undefined || !url.startsWith("file:")) continue;
    const isReadAgain = !atStart.has(url) && !statics.has(url);
    // another module may have loaded it before
    const isShared = url !== module && (importers.get(url)?.some((importer) => !seen.has(importer)) ?? false);
    const early = atStart.has(url) || isShared ? "the start" : since;
    for (const path of found.files) {
      if (files.get(path)?.since !== "the start") {
        watch(path, { name: nameOf(path, path), since: early, isReadAgain: true });
      }
    }
    const moment = packageFolder(found.local) === null ? early : "the engine";
    watch(found.local, { name: nameOf(url, found.local), since: moment, isReadAgain });
  }
  for (const [path, options] of Object.entries(graph.emit)) {
    modules[`compilerOptions of ${relative(root, path)}`] = sha256(canonical(options));
  }
  return { code: { modules, packages, aliases: tableOf(aliases) }, files };
}

interface Alias {
  readonly alias: string;
  readonly module: string;
  readonly target: string;
}

/** Aliases by name; by name and module where modules mean different things by one. */
function tableOf(aliases: readonly Alias[]): Record<string, string> {
  const targets = new Map<string, Set<string>>();
  for (const { alias, target } of aliases) targets.set(alias, (targets.get(alias) ?? new Set()).add(target));
  return Object.fromEntries(aliases.map(({ alias, module, target }) => [
    targets.get(alias)?.size === 1 ? alias : `${alias} in ${module}`,
    target,
  ]));
}

function addPackages(
  ids: readonly string[],
  { graph, packages, watch }: {
    readonly graph: Graph;
    readonly packages: Record<string, string>;
    readonly watch: Watch;
  },
): void {
  const queue = [...ids];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (packages[id] !== undefined) continue;
    const found = graph.packages[id];
    packages[id] = found?.integrity ?? "unknown";
    const since = id === VENDOR ? null : "the engine";
    for (const path of found?.files ?? []) watch(path, { name: id, since, isReadAgain: true });
    queue.push(...found?.dependencies ?? []);
  }
}

/** The digest of a closure. */
export function codeDigest(code: Code): string {
  return sha256(canonical(code));
}

/** The modules, packages and aliases that differ between two closures, sorted. */
export function changedCode(before: Code, after: Code): string[] {
  const differing = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>) =>
    Object.keys({ ...a, ...b }).filter((name) => a[name] !== b[name]);
  return [
    ...differing(before.modules, after.modules),
    ...differing(before.packages, after.packages),
    ...differing(before.aliases ?? {}, after.aliases ?? {}),
  ].sort();
}
