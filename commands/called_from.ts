/** Where a person is who types a command: a task runs in the project's folder, and is told where it was called. */
import { isAbsolute, join, resolve } from "node:path";

/**
 * The folder that a person is in. Where what is named lies in the current folder only, that is meant: another program
 * may have left the note.
 */
export function calledFrom(names: readonly string[]): string {
  const called = Deno.env.get("INIT_CWD");
  if (called === undefined || !isAbsolute(called) || !isThere(called)) return Deno.cwd();
  const relative = names.filter((name) => !isAbsolute(name) && name !== "-");
  const only = (one: string, other: string) =>
    relative.some((name) => isThere(join(one, name)) && !isThere(join(other, name)));
  return only(Deno.cwd(), called) && !only(called, Deno.cwd()) ? Deno.cwd() : called;
}

/** A folder that a person named, seen from where the person is; what nobody named lies in the project's folder. */
export function namedFrom(here: string, folder: string, { usual }: { readonly usual: string }): string {
  return folder === usual ? folder : resolve(here, folder);
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
