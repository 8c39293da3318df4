/** What a program's command line says of its configuration, which no module of it is told otherwise. */
import { basename, dirname, resolve } from "node:path";
import type { Configs } from "./config.ts";
import { PipelineError } from "./errors.ts";
import { stampOf } from "./stamp.ts";

/** The words with which this process was started, without the program's own; null where that cannot be known. */
export function commandLine(): readonly string[] | null {
  // the system tells it to programs with all permissions
  const all = Deno.permissions.querySync({ name: "run" }).state === "granted";
  if (Deno.build.os !== "linux" || !all) return null;
  try {
    const words = Deno.readTextFileSync("/proc/self/cmdline").split("\0").slice(0, -1);
    return words.slice(1, words.length - Deno.args.length);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The folder whose `deno.json` a command line names in place of the one beside the program; null for none. */
export function namedFolder(words: readonly string[]): string | null {
  const path = valueOf(words, CONFIG);
  return path !== null && isUsual(path) ? dirname(resolve(path)) : null;
}

/** Whether a configuration has a name by which Deno finds it itself. */
function isUsual(path: string): boolean {
  return /^deno\.jsonc?$/.test(basename(path));
}

const CONFIG = ["--config", "-c"] as const;

/**
 * Throws for a command line under which imports, packages or what TypeScript emits may be others than by the
 * configuration of the program's folder, from which a stage's code is told.
 *
 * @param root the folder whose configuration rules the program
 */
export function checkFlags(
  words: readonly string[],
  { root, configs }: { readonly root: string; readonly configs: Configs },
): void {
  const [config, lock] = [configs.file(root), configs.lock(root)];
  const refuse = (flag: string): never => {
    throw new PipelineError(
      `this program was started with ${flag}, but a stage's code is told by the configuration of ${root} alone: put ` +
        `the same into ${root}/deno.json, and start the program without ${flag.split(" ")[0]}`,
    );
  };
  const isOther = (path: string | null, own: string | null) => path !== null && (own === null || !isSame(path, own));
  const named = { config: valueOf(words, CONFIG), lock: valueOf(words, ["--lock"]) };
  // a member's own file leads to the same workspace
  const leadsHere = (path: string | null) =>
    path !== null && isUsual(path) && configs.root(dirname(resolve(path))) === root;
  if (isOther(named.config, config) && !leadsHere(named.config)) refuse(`--config ${named.config}`);
  if (isOther(named.lock, lock)) refuse(`--lock ${named.lock}`);
  const map = valueOf(words, ["--import-map"]);
  if (map !== null && !configs.says(root, `--import-map=${map}`)) refuse(`--import-map ${map}`);
  if (words.includes("--no-config") && config !== null) refuse("--no-config");
  if (words.includes("--no-lock") && lock !== null && stampOf(lock) !== null) refuse("--no-lock");
  const other = words.find((word) => /^--(vendor|node-modules-dir|conditions)(=|$)/.test(word));
  if (other !== undefined && !configs.says(root, other)) refuse(other);
}

/** What follows an option, behind "=" or as the next word. */
function valueOf(words: readonly string[], names: readonly string[]): string | null {
  for (const [index, word] of words.entries()) {
    // short options may be joined, as in -Ac
    if (names.includes(word) || (names.includes("-c") && /^-[A-Za-z]*c$/.test(word))) return operand(words[index + 1]);
    const name = names.find((name) => word.startsWith(`${name}=`));
    if (name !== undefined) return word.slice(name.length + 1);
  }
  return null;
}

/** A word behind an option, which may be the next option. */
function operand(word: string | undefined): string | null {
  return word === undefined || word.startsWith("-") ? null : word;
}

function isSame(path: string, own: string): boolean {
  const [a, b] = [stampOf(path), stampOf(own)];
  return a === null || b === null ? resolve(path) === own : a.dev === b.dev && a.ino === b.ino;
}
