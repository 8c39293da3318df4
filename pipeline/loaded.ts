/** What this process knows of the code that it has in memory, which stays as it is there whatever is edited. */
import type { Code } from "./code.ts";

const defined = new Map<string, number>();
const first = new Map<string, Code>();

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

/** Notes that a stage of a module has run with a code; what is known from before stays. */
export function noteFirstCode(module: string, code: Code): void {
  if (!first.has(module)) first.set(module, code);
}
