/** How a stage's module says that something which it reads is no part of its code. */

/**
 * Gives its argument back. A stage's code is its module, what that imports, and what it names by `import.meta`: the
 * module in `new Worker(new URL("./thread.ts", import.meta.url))`, the file in `new URL("./table.bin",
 * import.meta.url)`. What stands between the brackets of `notCode(…)` is left out of it, and may be what the engine
 * could not follow: a folder, `import(name)`'s name. The stage then promises that what lies there changes no result, or
 * reaches the key in another way, as a parameter or an input.
 *
 * ```ts
 * import { notCode } from "@ftim/pipeline";
 *
 * const help = Deno.readTextFileSync(notCode(new URL("../README.md", import.meta.url)));
 * ```
 */
export function notCode<T>(value: T): T {
  return value;
}
