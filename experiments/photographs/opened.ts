/** A photograph that was named → what can be computed with. */
import { join } from "node:path";
import { sha256 } from "@ftim/pipeline";
import type { Ready } from "./compute.ts";
import type { Input } from "./inputs.ts";
import type { Identity } from "./owner.ts";
import { preparePhotograph } from "./prepare.ts";
import { readPhotograph } from "./read_photograph.ts";

/** A photograph that has been opened. */
export interface Opened extends Ready {
  readonly input: Input;
  readonly identity: Identity;
  /** What a person should know of it. */
  readonly notes: readonly string[];
}

/** So many digits of a content's hash name it among the photographs of a run. */
const KEY = 24;

/**
 * Reads a photograph, and writes what the stages cannot read as it is into the folder to work in.
 *
 * @throws {ReconstructError} for what cannot be read or can show no face
 */
export async function openPhotograph(
  input: Input,
  { work, say }: { readonly work: string; readonly say: (line: string) => void },
): Promise<Opened> {
  const bytes = input.content ?? await readPhotograph(input.path!, input.name);
  const hash = sha256(bytes);
  const { extension, content, notes } = await preparePhotograph(input.name, bytes);
  const identity = { path: input.path === null ? null : await Deno.realPath(input.path), sha256: hash };
  for (const note of notes) say(`Note: ${input.name}: ${note}`);
  const key = hash.slice(0, KEY);
  const path = content === null && input.path !== null ? input.path : join(work, `${key}.${extension}`);
  if (path !== input.path) await Deno.writeFile(path, content ?? bytes);
  return { input, identity, notes, key, extension, path };
}

/** Photographs of different content. */
export function distinctOf<T extends Ready>(photographs: readonly T[]): T[] {
  return [...new Map(photographs.map((one) => [one.key, one])).values()];
}
