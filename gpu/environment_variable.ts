/**
 * Environment variables where there may be none: in a browser, or without the permission. Nothing is asked of the user.
 */

/** The value of an environment variable; undefined if it is absent, empty, or not to be read. */
export function environmentVariable(name: string): string | undefined {
  return mayUse(name) ? Deno.env.get(name) || undefined : undefined;
}

/**
 * Gives an environment variable a value, unless it has one or may not be changed. Libraries that are loaded later see
 * it.
 */
export function defaultVariable(name: string, value: string): void {
  if (mayUse(name) && !Deno.env.get(name)) Deno.env.set(name, value);
}

function mayUse(variable: string): boolean {
  return "Deno" in globalThis && Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}
