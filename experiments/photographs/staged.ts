/**
 * A folder of photographs → a folder that the import stage reads: what is no picture, or cannot be read, is refused by
 * name, and what only people's programs can read is converted. Names stay but for their dots: they say whose the
 * results are.
 */
import { dirname, join, relative, resolve } from "node:path";
import { link } from "./compute.ts";
import { PICTURE_NAME } from "./format.ts";
import { findPhotographs } from "./inputs.ts";
import { preparePhotograph } from "./prepare.ts";
import { readPhotograph } from "./read_photograph.ts";
import { isDenied, ReconstructError } from "./refused.ts";

/** A folder that stages can read. */
export interface StagedFolder {
  readonly path: string;
  /** Photographs in it. */
  readonly count: number;
  /** Why others of the user's folder are not: reasons by path in that folder. */
  readonly refused: Readonly<Record<string, string>>;
  /** What a person should know. */
  readonly notes: readonly string[];
}

/** How to read a folder. */
export interface StagingOptions {
  /** The folder that relative names start from. */
  readonly here: string;
  /** An existing folder to make the new one in. */
  readonly work: string;
  /** Folders below it that are none of its photographs. */
  readonly apart?: readonly string[];
  /** Why a photograph's place is wrong, by its path without extension and dots; null: it is not. */
  readonly fault?: (stem: string) => string | null;
}

/**
 * Reads a folder of photographs. Two that differ in their extension alone count as one, the first by name: programs
 * keep a picture in two formats.
 *
 * @throws {ReconstructError} if it is no folder, or no photograph in it can be read; the message counts the reasons
 */
export async function stagePhotographs(
  folder: string,
  { here, work, apart = [], fault = () => null }: StagingOptions,
): Promise<StagedFolder> {
  const root = resolve(here, folder);
  if ((await Deno.stat(root).catch(() => null))?.isDirectory !== true) {
    throw new ReconstructError(`${folder}: there is no such folder`);
  }
  const { inputs, failed, notes } = await findPhotographs([folder], { here });
  if (failed[0] !== undefined) throw new ReconstructError(failed[0].reason);
  const path = await Deno.makeTempDir({ dir: work });
  const refused: Record<string, string> = {};
  const stems = new Set<string>();
  const others = apart.map((name) => resolve(here, name)).filter((other) => other.startsWith(`${root}/`))
    .map((other) => `${other}/`);
  for (const input of inputs) {
    if (others.some((other) => input.path!.startsWith(other))) continue;
    const name = relative(root, input.path!).replaceAll("\\", "_");
    // to the stages a name ends at its first dot
    const stem = name.replace(PICTURE_NAME, "").replace(/[^/]*$/, (base) => base.replaceAll(".", "_"));
    try {
      const wrong = fault(stem);
      if (wrong !== null) throw new ReconstructError(wrong);
      if (stems.has(stem)) throw new ReconstructError(`another photograph is called ${stem}, too`);
      const { extension, content } = await preparePhotograph(name, await readPhotograph(input.path!, name));
      const to = join(path, `${stem}.${extension}`);
      await Deno.mkdir(dirname(to), { recursive: true });
      if (content === null) await link(input.path!, to);
      else await Deno.writeFile(to, content);
      stems.add(stem);
    } catch (error) {
      if (isDenied(error)) refused[name] = "you may not read it";
      else if (error instanceof ReconstructError) refused[name] = error.message.replace(`${name}: `, "");
      else throw error;
    }
  }
  if (stems.size > 0) return { path, count: stems.size, refused, notes };
  throw new ReconstructError(`${folder}: none of its pictures can be scored: ${reasonsText(refused)}`);
}

/** So many reasons are said; the rest is counted. */
const SAID = 5;

/** Reasons by name in one line. */
export function reasonsText(reasons: Readonly<Record<string, string>>): string {
  const all = Object.entries(reasons);
  const said = all.slice(0, SAID).map(([name, reason]) => `${name} (${reason})`).join("; ");
  return all.length > SAID ? `${said}; and ${all.length - SAID} more` : said;
}
