/** Where a person is who types a command: a task runs in the project's folder, and is told where it was called. */
import { isAbsolute, join, resolve } from "node:path";

/**
 * The folder that a person is in. What is named and lies in the current folder only is meant there: another program may
 * have left that note.
 */
export function calledFrom(names: readonly string[]): string {
  const called = Deno.env.get("INIT_CWD");
  if (called === undefined || !isAbsolute(called) || !isThere(called)) return Deno.cwd();
  const relative = names.filter((name) => !isAbsolute(name) && name !== "-");
  return relative.some((name) => !isThere(join(called, name)) && isThere(resolve(name))) ? Deno.cwd() : called;
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    // what cannot be looked at is not what is meant
    return false;
  }
}
