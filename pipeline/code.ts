/**
 * The digest of a stage's code: its module and all that it imports, dynamic imports included, by content; npm packages
 * with all that they depend on, by the integrity in `deno.lock`. One `deno info --json` finds the graph; it is
 * remembered by the stamps of every file in it. Imports of types alone vanish at run time and do not count. Nor does
 * the engine itself: what it promises is versioned by the key's schema, so a new progress bar recomputes nothing.
 *
 * Of `deno.json` (the workspace's and its members') just what it made of the imports counts: the modules and packages
 * that they came to, and which alias stands for which. Beside it, the few compiler options that change what TypeScript
 * emits. Tasks, formatting and type-checking change nothing at run time. The files as a whole, with the lock and the
 * import map, are among those by whose stamps the graph is remembered.
 */
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Configs, openConfigs } from "./config.ts";
import { PipelineError } from "./errors.ts";
import { canonical, hashFileSync, sha256 } from "./hash.ts";
import { sameStamp, type Stamp, stampOf } from "./stamp.ts";
import type { State } from "./state.ts";

/**
 * A stage module's closure: paths relative to the project (the workspace's folder, or that of `deno.json`), URLs and
 * packages.
 */
export interface Code {
  /** Path, or URL of a module from elsewhere → SHA-256. */
  readonly modules: Readonly<Record<string, string>>;
  /** `name@version` → integrity. */
  readonly packages: Readonly<Record<string, string>>;
  /** What stands for another address → that address; with " in MODULE" where two modules mean different ones. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** Gives the code of stage modules (by URL). */
export type CodeDigests = (modules: readonly string[]) => Promise<ReadonlyMap<string, Code>>;

/**
 * What `deno info --json` tells, as far as it is used.
 * @internal
 */
export interface Info {
  readonly modules: readonly {
    readonly kind?: string;
    readonly specifier: string;
    readonly local?: string | null;
    readonly error?: string;
    readonly npmPackage?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string; readonly error?: string };
    }[];
  }[];
  readonly redirects: Readonly<Record<string, string>>;
  readonly npmPackages?: Readonly<Record<string, { readonly dependencies: readonly string[] }>>;
}

/** A module graph with the stamps under which it holds. */
interface Graph {
  /** Local path → stamp and content, of every file that shaped the graph. */
  readonly files: Readonly<Record<string, Stamp & { readonly sha256: string }>>;
  /** Module URL → local path, URLs of imported modules, imported packages. */
  readonly modules: Readonly<Record<string, GraphModule>>;
  /** Package id → integrity and dependencies. */
  readonly packages: Readonly<Record<string, { readonly integrity: string; readonly dependencies: readonly string[] }>>;
  /** Path of a configuration → its options that change what is emitted. */
  readonly emit: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface GraphModule {
  readonly local: string;
  readonly sha256: string;
  readonly imports: readonly string[];
  readonly packages: readonly string[];
  /** Imports that are not addresses by themselves → what they came to. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Why it cannot be loaded. */
  readonly error: string | null;
}

const ENGINE = new URL(".", import.meta.url).href;

/** The default {@link CodeDigests}: asks Deno about the main module, and about any stage that it does not reach. */
export function codeDigests(state: State, entry: string = Deno.mainModule): CodeDigests {
  return async (modules) => {
    const result = new Map<string, Code>();
    const configs = openConfigs();
    const main = entry.startsWith("file:") && stampOf(fileURLToPath(entry)) !== null
      ? await loadGraph(entry, { state, configs })
      : null;
    for (const module of new Set(modules)) {
      const graph = main?.modules[module] ? main : await loadGraph(module, { state, configs });
      result.set(module, closureOf(module, { graph, configs }));
    }
    return result;
  };
}

/** Raised when {@link Graph} changes its form. */
const FORM = 3;

async function loadGraph(
  entry: string,
  { state, configs }: { readonly state: State; readonly configs: Configs },
): Promise<Graph> {
  const name = `${FORM} ${entry}`;
  const stored = state.closure(name);
  if (stored !== null) {
    const graph: Graph = JSON.parse(stored);
    const unchanged = Object.entries(graph.files).every(([path, stamp]) =>
      !stamp.racy && sameStamp(stamp.ino === -1 ? null : stamp, stampOf(path))
    );
    if (unchanged) return graph;
  }
  const graph = readGraph(await denoInfo(entry), { entry, configs });
  state.putClosure(name, JSON.stringify(graph));
  return graph;
}

async function denoInfo(entry: string): Promise<Info> {
  const path = fileURLToPath(entry);
  // as the program itself: without it, modules come from the hosts that Deno trusts by default
  const free = Deno.permissions.querySync({ name: "import" }).state === "granted" ? ["--allow-import"] : [];
  const options = { args: ["info", "--json", ...free, path], cwd: dirname(path) };
  const { success, stdout, stderr } = await new Deno.Command(denoCommand(), options).output();
  if (!success) throw new PipelineError(`deno info ${path} failed: ${new TextDecoder().decode(stderr).trim()}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** This very Deno where that is permitted; otherwise the one on the path, for `--allow-run=deno`. */
function denoCommand(): string {
  const command = Deno.execPath();
  return Deno.permissions.querySync({ name: "run", command }).state === "granted" ? command : "deno";
}

/** @internal */
export function readGraph(
  info: Info,
  { entry, configs }: { readonly entry: string; readonly configs: Configs },
): Graph {
  const root = configs.root(dirname(fileURLToPath(entry)));
  const lock = configs.lock(root);
  const locked: Lock = lock === null || stampOf(lock) === null ? {} : JSON.parse(Deno.readTextFileSync(lock));
  const follow = (specifier: string) => info.redirects[specifier] ?? specifier;
  const npm = new Map(info.modules.flatMap(({ specifier, npmPackage }) => npmPackage ? [[specifier, npmPackage]] : []));
  const modules: Record<string, GraphModule> = {};
  const files: Record<string, Stamp & { sha256: string }> = {};
  const folders = new Set([dirname(fileURLToPath(entry))]);
  for (const { specifier, local, error, dependencies = [] } of info.modules) {
    if (!isModule(specifier)) continue;
    if (specifier.startsWith("file:")) folders.add(dirname(fileURLToPath(specifier)));
    const path = local ?? (specifier.startsWith("file:") ? fileURLToPath(specifier) : specifier);
    const { sha256 } = files[path] = remember(path);
    const targets = dependencies.flatMap(({ code }) => code?.specifier === undefined ? [] : [follow(code.specifier)]);
    modules[specifier] = {
      local: path,
      sha256: specifier.startsWith("file:") ? sha256 : locked.remote?.[specifier] ?? hashRemote(path),
      imports: targets.filter(isModule),
      packages: targets.flatMap((target) => npm.get(target) ?? []),
      aliases: aliasesOf(specifier, dependencies),
      error: error ?? dependencies.find(({ code }) => code?.error !== undefined)?.code?.error ?? null,
    };
  }
  for (const path of configs.files(root, folders)) files[path] = remember(path);
  const packages = Object.fromEntries(
    Object.entries(info.npmPackages ?? {}).map(([id, { dependencies }]) => [
      id,
      { integrity: locked.npm?.[id]?.integrity ?? "not in deno.lock", dependencies },
    ]),
  );
  return { files, modules, packages, emit: configs.emit(root, folders) };
}

/**
 * A module's imports that are not addresses by themselves: an import map, or a workspace's member, says what they
 * mean.
 */
function aliasesOf(module: string, dependencies: Info["modules"][number]["dependencies"] = []): Record<string, string> {
  const pairs = dependencies.flatMap(({ specifier, code }) => {
    const target = code?.specifier;
    if (target === undefined || URL.parse(specifier, module)?.href === target) return [];
    return [[specifier, target]];
  });
  return Object.fromEntries(pairs);
}

/** `deno.lock`, as far as it is used. */
interface Lock {
  readonly npm?: Readonly<Record<string, { readonly integrity?: string }>>;
  /** URL → SHA-256. */
  readonly remote?: Readonly<Record<string, string>>;
}

/** Of the user's or from another host; what is left are packages and built-in modules. */
function isModule(specifier: string): boolean {
  return /^(file|https?):/.test(specifier);
}

/** Deno keeps a module from elsewhere with a last line about its download, which does not count. */
function hashRemote(path: string): string {
  if (stampOf(path) === null) return "";
  return sha256(Deno.readTextFileSync(path).replace(/\n\/\/ denoCacheMetadata=.*$/, ""));
}

/** Stamp and content of a file; a missing one is remembered as missing (ino -1). */
function remember(path: string): Stamp & { sha256: string } {
  const stamp = stampOf(path);
  if (stamp === null) return { dev: 0, ino: -1, size: 0, mtime: 0, ctime: 0, racy: false, sha256: "" };
  return { ...stamp, sha256: hashFileSync(path).sha256 };
}

/** @internal */
export function closureOf(
  module: string,
  { graph, configs }: { readonly graph: Graph; readonly configs: Configs },
): Code {
  const root = configs.root(dirname(fileURLToPath(module)));
  const nameOf = (url: string, path = fileURLToPath(url)) => relative(root, path).replaceAll("\\", "/");
  const modules: Record<string, string> = {};
  const packages: Record<string, string> = {};
  const aliases: Alias[] = [];
  const seen = new Set([module]);
  const queue = [module];
  const isEngine = (url: string) => url.startsWith(ENGINE) && !module.startsWith(ENGINE);
  for (let url = queue.pop(); url !== undefined; url = queue.pop()) {
    const found = graph.modules[url];
    if (found === undefined) throw new PipelineError(`module ${url} is not in the graph of ${module}`);
    if (found.error !== null) throw new PipelineError(`${found.local} cannot be loaded: ${found.error}`);
    const name = url.startsWith("file:") ? nameOf(url, found.local) : url;
    modules[name] = found.sha256;
    addPackages(found.packages, { graph, packages });
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
  for (const [path, options] of Object.entries(graph.emit)) {
    modules[`compilerOptions of ${relative(root, path)}`] = sha256(canonical(options));
  }
  return { modules, packages, aliases: tableOf(aliases) };
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
  { graph, packages }: { readonly graph: Graph; readonly packages: Record<string, string> },
): void {
  const queue = [...ids];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (packages[id] !== undefined) continue;
    const found = graph.packages[id];
    packages[id] = found?.integrity ?? "unknown";
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
