/**
 * The project's tree as the rules of the house read it: its files, what each imports, and how a broken rule is
 * reported. Git says which files belong to the tree; in an exported copy without git, all that `.gitignore` does not
 * name.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The project's folder. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** One import of a module of the tree. */
export interface Import {
  /** The importing file, relative to the project. */
  readonly from: string;
  /** Its line, from 1. */
  readonly line: number;
  /** As it is written. */
  readonly specifier: string;
  /**
   * The imported file, relative to the project, or a package or built-in module such as `npm:zod@4.6.7` or `node:fs`.
   */
  readonly to: string;
  /** `static` runs when the module loads, `dynamic` when a call comes to it, `type` never. */
  readonly kind: "static" | "dynamic" | "type";
}

/** The paths of all files of the tree, sorted, with slashes, relative to the project. */
export async function allFiles(): Promise<string[]> {
  return (await filesInGit() ?? await filesInFolder()).sort();
}

/** The paths of all TypeScript files of the tree, sorted. */
export async function modules(): Promise<string[]> {
  return (await allFiles()).filter((path) => path.endsWith(".ts"));
}

/** The text of a file of the tree. */
export function read(path: string): Promise<string> {
  return Deno.readTextFile(join(ROOT, path));
}

/** Every import of every module, types and dynamic imports included, as Deno resolves them. */
export async function allImports(): Promise<Import[]> {
  const entry = await Deno.makeTempFile({ prefix: "ftim-house-", suffix: ".ts" });
  try {
    const urls = (await modules()).map((path) => pathToFileURL(join(ROOT, path)).href);
    await Deno.writeTextFile(entry, urls.map((url) => `import ${JSON.stringify(url)};\n`).join(""));
    const args = ["info", "--json", "--no-npm", "--no-lock", "--config", join(ROOT, "deno.json"), entry];
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
    assert.ok(success, `deno info failed: ${new TextDecoder().decode(stderr)}`);
    return importsIn(JSON.parse(new TextDecoder().decode(stdout)));
  } finally {
    await Deno.remove(entry);
  }
}

/** Fails with all that breaks a rule. Each finding names file, line and what to do. */
export function assertNone(findings: readonly string[], rule: string): void {
  assert.ok(findings.length === 0, `${rule}: ${findings.length} places\n${findings.join("\n")}`);
}

/** What `deno info --json` tells, as far as it is used. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly isDynamic?: boolean;
      readonly code?: Resolved;
      readonly type?: Resolved;
    }[];
  }[];
}

interface Resolved {
  readonly specifier?: string;
  readonly error?: string;
  readonly span?: { readonly start: { readonly line: number } };
}

function importsIn({ modules }: Info): Import[] {
  const base = pathToFileURL(ROOT).href;
  const relative = (url: string) => url.startsWith(base) ? decodeURIComponent(url.slice(base.length)) : url;
  return modules.filter(({ specifier }) => specifier.startsWith(base)).flatMap(({ specifier, dependencies = [] }) =>
    dependencies.map((dependency) => {
      const { code, type, isDynamic = false } = dependency;
      const resolved = code ?? type;
      const from = relative(specifier);
      assert.ok(resolved?.specifier !== undefined, `${from} imports ${dependency.specifier}: ${resolved?.error}`);
      return {
        from,
        line: (resolved.span?.start.line ?? 0) + 1,
        specifier: dependency.specifier,
        to: relative(resolved.specifier),
        kind: code === undefined ? "type" : isDynamic ? "dynamic" : "static",
      };
    })
  );
}

/** Null where there is no git, or where git knows another folder that this one lies in. */
async function filesInGit(): Promise<string[] | null> {
  const top = await git("rev-parse", "--show-prefix");
  if (top === null || top.trim() !== "") return null;
  const listed = await git("ls-files", "-z", "--cached", "--others", "--exclude-standard");
  const present = await Promise.all(
    listed!.split("\0").filter((path) => path !== "").map(async (path) => await isFile(path) ? [path] : []),
  );
  return present.flat();
}

async function git(...args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("git", { args, cwd: ROOT, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** A file that git still lists may have been deleted since. */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(join(ROOT, path))).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function filesInFolder(): Promise<string[]> {
  const ignored = (await read(".gitignore")).split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    .map(ignoredPaths);
  const walk = async (folder: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { name, isDirectory, isFile } of Deno.readDir(join(ROOT, folder))) {
      const path = `${folder}${name}${isDirectory ? "/" : ""}`;
      if (name === ".git" || ignored.some((pattern) => pattern.test(path))) continue;
      if (isDirectory) found.push(...await walk(path));
      else if (isFile) found.push(path);
    }
    return found;
  };
  return await walk("");
}

/** A line of `.gitignore` without negation, as a pattern for paths whose folders end in a slash. */
function ignoredPaths(line: string): RegExp {
  const anchored = line.slice(0, -1).includes("/");
  const pattern = line.replace(/^\//, "").split("**/")
    .map((part) => part.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*")).join("(.*/)?");
  return new RegExp(`^${anchored ? "" : "(.*/)?"}${pattern}${line.endsWith("/") ? "" : "/?"}$`);
}
