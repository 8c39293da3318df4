/** What this process knows of the code that it has in memory, which stays as it is there whatever is edited. */
import type { Code, CodeFiles } from "./code.ts";

/** When this process loaded the engine, in ms since the epoch. */
export const ENGINE_LOADED = Date.now();

const defined = new Map<string, number>();
const first = new Map<string, Code>();
const contents = new Map<string, string>();

/** Notes that a stage of a module is defined: the module, and what it imports statically, is loaded by now. */
export function noteDefined(module: string): void {
  if (!defined.has(module)) defined.set(module, Date.now());
}

/** When a module defined its first stage, in ms since the epoch. */
export function definedAt(module: string): number {
  return defined.get(module) ?? Infinity;
}

/** A module's code as it was when a stage of it first ran in this process; null if none has. */
export function firstCode(module: string): Code | null {
  return first.get(module) ?? null;
}

/** SHA-256 of a file as it was when a stage that may have loaded it first ran in this process; null if none has. */
export function firstContent(path: string): string | null {
  return contents.get(path) ?? null;
}

/** Notes that a stage of a module has run with a code, which these files are; what is known from before stays. */
export function noteFirstCode(
  module: string,
  { code, files }: { readonly code: Code; readonly files: CodeFiles },
): void {
  if (!first.has(module)) first.set(module, code);
  for (const [path, { sha256 }] of files) if (!contents.has(path)) contents.set(path, sha256);
}
