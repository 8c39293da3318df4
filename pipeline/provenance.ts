/** How a file was made: out of the store, or else out of a crate that lies beside the file. */
import { crateText } from "./crate_text.ts";
import { PipelineError } from "./errors.ts";
import { lineageText } from "./lineage.ts";

/**
 * How a file was made, for people: the chain of stages with parameters, code and inputs. Matched by content. Where the
 * store is absent or does not know the file, an RO-Crate (`*ro-crate-metadata.json`, or the same with `.gz`) in the
 * file's folder or the one above answers.
 *
 * @throws PipelineError where neither knows the file's content
 */
export async function provenanceText(
  path: string,
  { store = ".ftim" }: { readonly store?: string } = {},
): Promise<string> {
  const known = await isThere(store) ? await lineageText(path, { store }) : null;
  const text = known ?? await crateText(path);
  if (text !== null) return text;
  throw new PipelineError(
    `${path} was not made by a stage of the store ${store}, and no ro-crate-metadata.json near it lists its content: ` +
      "it was edited, or made elsewhere",
  );
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
}
