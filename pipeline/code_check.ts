/** Whether what runs may be another code than the one that was read: where it may, a stage is refused by name. */
import { dirname } from "node:path";
import type { Configs } from "./config.ts";
import { ENGINE } from "./engine_url.ts";
import { PipelineError } from "./errors.ts";
import { canonical } from "./hash.ts";
import { COMMON } from "./module_common.ts";
import type { GraphModule } from "./module_graph.ts";
import { stampOf } from "./stamp.ts";
import { urlPath } from "./url_path.ts";

/** What an import means in the running program: an address, or null where it means nothing. */
export type Resolve = (specifier: string) => string | null;

interface Means {
  /** The folder whose configuration rules the module. */
  readonly root: string;
  readonly configs: Configs;
  readonly resolve: Resolve;
}

/** Throws where a module cannot be loaded, cannot be followed, or imports something else in the running program. */
export function checkModule(module: string, found: GraphModule, { root, configs, resolve }: Means): void {
  const { local, unresolved, unclear: [place], error } = found;
  const advice = `Was it started with --config or --import-map? Put what they say into the deno.json of ${root}`;
  for (const specifier of unresolved) {
    const here = resolve(specifier);
    if (here === null) continue;
    throw new PipelineError(
      `${local} imports "${specifier}", which no configuration of ${root} maps, but this program takes it for ` +
        `${here}. ${advice}.`,
    );
  }
  if (error !== null) throw new PipelineError(`${local} cannot be loaded: ${error}`);
  if (place !== undefined) {
    throw new PipelineError(
      `${local}:${place.line}: ${place.text} cannot be followed, so an edit of what it reads would go unnoticed. ` +
        adviceFor(place.text),
    );
  }
  const engine = ENGINE.startsWith("file:") ? [dirname(urlPath(`${ENGINE}mod.ts`))] : [];
  const folders = [dirname(local), ...engine];
  const refuse = (alias: string, { target, here }: { readonly target: string; readonly here: string }): never => {
    throw new PipelineError(
      `${local} imports "${alias}", which is ${target} by the configuration of ${root}, but ${here} in this program. ` +
        `${advice}.`,
    );
  };
  for (const [alias, target] of Object.entries(found.aliases)) {
    const written = absolute(alias, module);
    const here = resolve(written ?? alias);
    if (here === null || isSame(here, target) || here === resolve(target)) continue;
    // each folder of packages may have its own
    if (here.includes("/node_modules/") && target.includes("/node_modules/")) continue;
    if (!configs.isLocal(written ?? alias, { root, folders })) refuse(alias, { target, here });
  }
  const mapped = new Set(Object.values(found.aliases));
  for (const target of [...found.builtins, ...found.imports]) {
    const here = mapped.has(target) ? null : resolve(target);
    if (here === null || isSame(here, target) || configs.isLocal(target, { root, folders })) continue;
    refuse(target, { target, here });
  }
}

/** Whether two addresses are of one thing: a folder may be reached through a link, too. */
function isSame(a: string, b: string): boolean {
  if (a === b) return true;
  if (!a.startsWith("file:") || !b.startsWith("file:")) return false;
  const [one, other] = [stampOf(urlPath(a)), stampOf(urlPath(b))];
  return one !== null && other !== null && one.dev === other.dev && one.ino === other.ino;
}

/** What to do about an expression that cannot be followed. */
function adviceFor(text: string): string {
  return COMMON.test(text)
    ? 'Make it an ES module, where import "./file.js" and new URL("./file", import.meta.url) can be followed.'
    : 'Write the address out, as in new URL("./file", import.meta.url), or wrap in notCode(…) what is no code.';
}

/** The address that an import map sees for an import that is written as one; null for a bare name. */
function absolute(specifier: string, module: string): string | null {
  return /^(\.{0,2}\/|[a-z]+:)/.test(specifier) ? URL.parse(specifier, module)?.href ?? null : null;
}

interface Apart {
  readonly root: string;
  /** The folder whose configuration rules the program. */
  readonly program: string;
  readonly configs: Configs;
  /** Folders of the modules. */
  readonly folders: readonly string[];
  /** Ids of the packages that they come to. */
  readonly packages: readonly string[];
}

/**
 * Throws where modules of one project run in a program of another, whose configuration rules them there, and by that
 * they come to other packages, or TypeScript emits something else.
 */
export function checkOtherProgram({ root, program, configs, folders, packages }: Apart): void {
  const advice = `Make them agree, or start a program that lies in ${root}`;
  const [own, other] = [root, program].map((place) =>
    canonical(Object.assign({}, ...Object.values(configs.emit(place, folders))))
  );
  if (own !== other) {
    throw new PipelineError(
      `the modules of ${root} have the compilerOptions ${own}, but this program runs them with those of ${program}, ` +
        `${other}. ${advice}.`,
    );
  }
  const [before, now] = [configs.locked(root), configs.locked(program)];
  for (const id of packages) {
    const version = id.slice(id.lastIndexOf("@", id.includes("_") ? id.indexOf("_") - 1 : undefined) + 1);
    const written = Object.entries(before.specifiers).filter(([specifier, to]) =>
      to === version && specifier.startsWith(`npm:${id.slice(0, -version.length)}`)
    );
    const differs = written.find(([specifier, to]) => now.specifiers[specifier] !== to)?.[0];
    if (differs === undefined && now.npm[id]?.integrity === before.npm[id]?.integrity) continue;
    throw new PipelineError(
      `the modules of ${root} import ${differs ?? id}, which is ${id} there, but by the deno.lock of ${program}, ` +
        `which this program runs by, it is ${now.specifiers[differs ?? ""] ?? "not known"}. ${advice}.`,
    );
  }
}
