/**
 * The digest of a stage's code: its module and all that it imports, dynamic imports included, by content; npm packages
 * with all that they depend on, by the integrity in `deno.lock`. One `deno info --json` finds the graph; it is
 * remembered by the stamps of every file in it. Imports of types alone vanish at run time and do not count. Nor does
 * the engine itself: what it promises is versioned by the key's schema, so a new progress bar recomputes nothing.
 */
import { dirname, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PipelineError } from "./errors.ts";
import { canonical, hashFileSync, sha256 } from "./hash.ts";
import { sameStamp, type Stamp, stampOf } from "./stamp.ts";
import type { State } from "./state.ts";

/** A stage module's closure: paths relative to the project (the folder of `deno.json`), URLs and packages. */
export interface Code {
  /** Path, or URL of a module from elsewhere → SHA-256. */
  readonly modules: Readonly<Record<string, string>>;
  /** `name@version` → integrity. */
  readonly packages: Readonly<Record<string, string>>;
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
}

interface GraphModule {
  readonly local: string;
  readonly sha256: string;
  readonly imports: readonly string[];
  readonly packages: readonly string[];
  /** Why it cannot be loaded. */
  readonly error: string | null;
}

const ENGINE = new URL(".", import.meta.url).href;

/** The default {@link CodeDigests}: asks Deno about the main module, and about any stage that it does not reach. */
export function codeDigests(state: State, entry: string = Deno.mainModule): CodeDigests {
  return async (modules) => {
    const result = new Map<string, Code>();
    const main = entry.startsWith("file:") && stampOf(fileURLToPath(entry)) !== null
      ? await loadGraph(entry, state)
      : null;
    for (const module of new Set(modules)) {
      const graph = main?.modules[module] ? main : await loadGraph(module, state);
      result.set(module, closureOf(module, graph));
    }
    return result;
  };
}

/** Raised when {@link Graph} changes its form. */
const FORM = 2;

async function loadGraph(entry: string, state: State): Promise<Graph> {
  const name = `${FORM} ${entry}`;
  const stored = state.closure(name);
  if (stored !== null) {
    const graph: Graph = JSON.parse(stored);
    const unchanged = Object.entries(graph.files).every(([path, stamp]) =>
      !stamp.racy && sameStamp(stamp.ino === -1 ? null : stamp, stampOf(path))
    );
    if (unchanged) return graph;
  }
  const graph = readGraph(await denoInfo(entry), configFiles(fileURLToPath(entry)));
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

/** `deno.json` and `deno.lock` that rule a module, and the folder that they are in. */
function configFiles(path: string): { root: string; files: string[] } {
  for (let folder = dirname(path);; folder = dirname(folder)) {
    const files = ["deno.json", "deno.jsonc", "deno.lock"].map((name) => `${folder}/${name}`);
    if (files.some((file) => stampOf(file) !== null)) return { root: folder, files };
    if (folder === dirname(folder)) return { root: dirname(path), files: [] };
  }
}

/** @internal */
export function readGraph(info: Info, { files: configs }: { readonly files: readonly string[] }): Graph {
  const lock = configs.find((path) => path.endsWith("deno.lock") && stampOf(path) !== null);
  const locked: Lock = lock === undefined ? {} : JSON.parse(Deno.readTextFileSync(lock));
  const follow = (specifier: string) => info.redirects[specifier] ?? specifier;
  const npm = new Map(info.modules.flatMap(({ specifier, npmPackage }) => npmPackage ? [[specifier, npmPackage]] : []));
  const modules: Record<string, GraphModule> = {};
  const files: Record<string, Stamp & { sha256: string }> = {};
  for (const { specifier, local, error, dependencies = [] } of info.modules) {
    if (!isModule(specifier)) continue;
    const path = local ?? (specifier.startsWith("file:") ? fileURLToPath(specifier) : specifier);
    const { sha256 } = files[path] = remember(path);
    const targets = dependencies.flatMap(({ code }) => code?.specifier === undefined ? [] : [follow(code.specifier)]);
    modules[specifier] = {
      local: path,
      sha256: specifier.startsWith("file:") ? sha256 : locked.remote?.[specifier] ?? hashRemote(path),
      imports: targets.filter(isModule),
      packages: targets.flatMap((target) => npm.get(target) ?? []),
      error: error ?? dependencies.find(({ code }) => code?.error !== undefined)?.code?.error ?? null,
    };
  }
  for (const path of configs) files[path] = remember(path);
  const packages = Object.fromEntries(
    Object.entries(info.npmPackages ?? {}).map(([id, { dependencies }]) => [
      id,
      { integrity: locked.npm?.[id]?.integrity ?? "not in deno.lock", dependencies },
    ]),
  );
  return { files, modules, packages };
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
export function closureOf(module: string, graph: Graph): Code {
  const { root } = configFiles(fileURLToPath(module));
  const modules: Record<string, string> = {};
  const packages: Record<string, string> = {};
  const seen = new Set([module]);
  const queue = [module];
  for (let url = queue.pop(); url !== undefined; url = queue.pop()) {
    const found = graph.modules[url];
    if (found === undefined) throw new PipelineError(`module ${url} is not in the graph of ${module}`);
    if (found.error !== null) throw new PipelineError(`${found.local} cannot be loaded: ${found.error}`);
    const name = url.startsWith("file:") ? relative(root, found.local).replaceAll("\\", "/") : url;
    modules[name] = found.sha256;
    addPackages(found.packages, { graph, packages });
    for (const next of found.imports) {
      if (seen.has(next) || (next.startsWith(ENGINE) && !module.startsWith(ENGINE))) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return { modules, packages };
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

/** The modules and packages that differ between two closures, sorted. */
export function changedCode(before: Code, after: Code): string[] {
  const differing = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>) =>
    Object.keys({ ...a, ...b }).filter((name) => a[name] !== b[name]);
  return [...differing(before.modules, after.modules), ...differing(before.packages, after.packages)].sort();
}

/** A folder's or file's URL, for callers that have a path. */
export function moduleUrl(path: string): string {
  return pathToFileURL(path).href;
}
