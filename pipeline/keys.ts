/**
 * Keys in the shape of Bazel's Remote Execution API: a key is the hash of a canonical document that names everything
 * which could change a result. The documents are stored, so that a miss can be explained field by field.
 */
import { canonical, sha256 } from "./hash.ts";
import type { FileRow } from "./state.ts";

/**
 * Raised when the engine's promises to stages change in a way that could change results, or when a part of the key,
 * such as the digest of the code, comes to mean something else.
 */
export const SCHEMA = 3;

/** Everything about a stage's run but its inputs. */
export interface Recipe {
  readonly schema: number;
  /** Changing it disowns every earlier result. */
  readonly salt: string;
  readonly stage: string;
  /** Which of the modules of the code document defines the stage; empty where they have other names. */
  readonly module: string;
  /** Digest of the code document. */
  readonly code: string;
  readonly params: unknown;
  readonly environment: Readonly<Record<string, unknown>>;
  readonly each: readonly string[];
}

/** A stage's key document: inputs by role, as digests of their listings. */
export interface NodePreimage extends Recipe {
  readonly inputs: Readonly<Record<string, string>>;
}

/** An action's key document: `recipe` names the stored {@link NodePreimage} that holds just the shared inputs. */
export interface ActionPreimage {
  readonly recipe: string;
  readonly item: string | null;
  /** The item's files by role: path, SHA-256, size. */
  readonly files: Readonly<Record<string, readonly FileRow[]>>;
}

/** A key and the text that it is the hash of. */
export interface Key {
  readonly key: string;
  readonly preimage: string;
}

/** The key of a whole stage. */
export function nodeKey(preimage: NodePreimage): Key {
  const text = canonical(preimage);
  return { key: sha256(text), preimage: text };
}

/** The key of what a stage's items have in common: the shared inputs alone. */
export function recipeKey({ inputs, ...recipe }: NodePreimage): Key {
  const shared = Object.entries(inputs).filter(([role]) => !recipe.each.includes(role));
  return nodeKey({ ...recipe, inputs: Object.fromEntries(shared) });
}

/** The key of one execution. */
export function actionKey(preimage: ActionPreimage): Key {
  const text = canonical(preimage);
  return { key: sha256(text), preimage: text };
}
