/** The compiler options that change what runs: those of `deno.json`, else of a `tsconfig.json` beside it. */
import { dirname, resolve } from "node:path";
import { PipelineError } from "./errors.ts";
import { parseJsonc } from "./jsonc.ts";
import { stampOf } from "./stamp.ts";

/** `tsconfig.json`, as far as it is used. */
interface TsConfig {
  readonly compilerOptions?: Readonly<Record<string, unknown>>;
  readonly extends?: string | readonly string[];
  readonly references?: readonly { readonly path: string }[];
}

/** What is emitted for JSX and decorators, which imports stay, how fields are made, what a function says of itself. */
const EMIT = new RegExp(
  "^(jsx.*|experimentalDecorators|emitDecoratorMetadata|verbatimModuleSyntax|preserveValueImports|" +
    "importsNotUsedAsValues|useDefineForClassFields|target|module|alwaysStrict|removeComments|preserveConstEnums|" +
    "downlevelIteration|importHelpers|noEmitHelpers|esModuleInterop)$",
);

/** Those of some options that change what TypeScript emits. */
export function emitOptions(options: TsConfig["compilerOptions"] = {}): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => EMIT.test(name)));
}

/**
 * The files from which a folder's `tsconfig.json` is put together, itself first, with what each says of what is
 * emitted. It need not be there.
 *
 * @throws {PipelineError} where it extends a package
 */
export function tsConfigs(folder: string): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  const paths = new Set([`${folder}/tsconfig.json`]);
  for (const path of paths) {
    const config: TsConfig = stampOf(path) === null ? {} : parseJsonc(Deno.readTextFileSync(path));
    found.set(path, emitOptions(config.compilerOptions));
    for (const base of [config.extends ?? []].flat()) {
      if (!/^(\.{0,2}\/|\.{1,2}$)/.test(base)) {
        throw new PipelineError(
          `${path} extends "${base}", which is not followed: write the compilerOptions that count into ` +
            `${folder}/deno.json, which takes its place`,
        );
      }
      paths.add(resolve(dirname(path), base.endsWith(".json") ? base : `${base}.json`));
    }
    for (const { path: other } of config.references ?? []) {
      const place = resolve(dirname(path), other);
      paths.add(place.endsWith(".json") ? place : `${place}/tsconfig.json`);
    }
  }
  return found;
}
