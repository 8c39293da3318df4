/** Asks Deno for module graphs: `deno info --json`, under the configuration that rules the modules. */
import { PipelineError } from "./errors.ts";

/** What `deno info --json` tells, as far as it is used. */
export interface Info {
  readonly modules: readonly InfoModule[];
  readonly redirects: Readonly<Record<string, string>>;
  readonly npmPackages?: Readonly<Record<string, InfoPackage>>;
}

/** One package of {@link Info}. */
interface InfoPackage {
  readonly dependencies: readonly string[];
  /** Its folder: in Deno's cache, or below a `node_modules`. */
  readonly localPath?: string;
}

/** One module of {@link Info}. */
export interface InfoModule {
  /** "external" for one that is loaded as data. */
  readonly kind?: string;
  readonly specifier: string;
  readonly local?: string | null;
  readonly mediaType?: string;
  readonly error?: string;
  readonly npmPackage?: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier?: string; readonly error?: string };
    readonly isDynamic?: boolean;
  }[];
}

/** Tells of some modules, by URL, and all that they import. */
export type Ask = (modules: readonly string[]) => Promise<Info>;

/** Modules that one process is asked about: their addresses have to fit into an argument. */
const AT_ONCE = 300;

/**
 * Asks about modules that one configuration rules.
 *
 * @param root the folder where Deno looks for a configuration if none is named
 * @param config the path of a `deno.json`, or null
 */
export function askDeno({ root, config }: { readonly root: string; readonly config: string | null }): Ask {
  return async (modules) => {
    const portions: (readonly string[])[] = [];
    for (let at = 0; at < modules.length; at += AT_ONCE) portions.push(modules.slice(at, at + AT_ONCE));
    return merged(await Promise.all(portions.map((portion) => denoInfo(portion, { root, config }))));
  };
}

/** Several graphs as one; of a module that is in two, the first word counts, except of one that was just data. */
export function merged(infos: readonly Info[]): Info {
  const modules = new Map<string, InfoModule>();
  for (const module of infos.flatMap((info) => info.modules)) {
    const before = modules.get(module.specifier);
    if (before === undefined || isData(before)) modules.set(module.specifier, module);
  }
  return {
    modules: [...modules.values()],
    redirects: Object.assign({}, ...infos.map(({ redirects }) => redirects)),
    npmPackages: Object.assign({}, ...infos.map(({ npmPackages = {} }) => npmPackages)),
  };
}

/** Whether a module is imported as text or bytes alone. */
export function isData({ kind }: InfoModule): boolean {
  return kind === "external";
}

async function denoInfo(
  modules: readonly string[],
  { root, config }: { readonly root: string; readonly config: string | null },
): Promise<Info> {
  // a module that imports them all
  const code = modules.map((module) => `import ${JSON.stringify(module)};`).join("\n");
  const [only] = modules;
  const entry = modules.length === 1 && only?.startsWith("file:")
    ? only
    : `data:application/typescript,${encodeURIComponent(code)}`;
  // as the program itself: without it, modules come from the hosts that Deno trusts by default
  const free = Deno.permissions.querySync({ name: "import" }).state === "granted" ? ["--allow-import"] : [];
  const rules = config === null ? [] : ["--config", config];
  const options = { args: ["info", "--json", ...free, ...rules, entry], cwd: root };
  const { success, stdout, stderr } = await new Deno.Command(denoCommand(), options).output();
  if (success) return JSON.parse(new TextDecoder().decode(stdout));
  const named = modules.length === 1 ? only : `${modules.length} modules of ${root}`;
  throw new PipelineError(`deno info of ${named} failed: ${new TextDecoder().decode(stderr).trim()}`);
}

/** This very Deno where that is permitted; otherwise the one on the path, for `--allow-run=deno`. */
function denoCommand(): string {
  const command = Deno.execPath();
  return Deno.permissions.querySync({ name: "run", command }).state === "granted" ? command : "deno";
}
