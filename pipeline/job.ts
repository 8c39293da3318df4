/** What a stage has to do once its inputs are known: one action an item, or one for the whole. */
import type { StageNode } from "./artifact.ts";
import { hasBlob } from "./blobs.ts";
import type { Clock } from "./clock.ts";
import { actionKey, type ActionPreimage } from "./keys.ts";
import type { PeakMemory } from "./memory.ts";
import type { StageCount } from "./report.ts";
import type { Session } from "./session.ts";
import type { FileRow } from "./state.ts";
import { itemsOf, type Resolved } from "./tree.ts";

/** A stage whose inputs are known. */
export interface Job {
  readonly node: StageNode;
  readonly label: string;
  /** Digest of the stored document that all actions of this job share. */
  readonly recipe: string;
  readonly inputs: Readonly<Record<string, Resolved>>;
  readonly session: Session;
  /** Run again what is recorded. */
  readonly again?: boolean;
  readonly clock: Clock;
  readonly memory: PeakMemory;
  /** Told how far it has come. */
  readonly count: (count: StageCount) => void;
}

/** One execution: an item, or the whole stage. */
export interface Action {
  readonly key: string;
  readonly preimage: string;
  readonly item: string | null;
  readonly files: ActionPreimage["files"];
}

/** The actions that a job consists of, in key order of their items. */
export function actionsOf({ node, recipe, inputs }: Pick<Job, "node" | "recipe" | "inputs">): readonly Action[] {
  const { each } = node.stage;
  if (each.length === 0) return [{ ...actionKey({ recipe, item: null, files: {} }), item: null, files: {} }];
  const roles = each.filter((role) => inputs[role] !== undefined);
  const byRole = roles.map((role) => [role, itemsOf(inputs[role]?.listing().files ?? [])] as const);
  const keys = [...byRole[0]?.[1].keys() ?? []].sort();
  return keys.flatMap((item) => {
    const files: Record<string, readonly FileRow[]> = {};
    for (const [role, items] of byRole) {
      const rows = items.get(item);
      if (rows === undefined) return [];
      files[role] = rows;
    }
    return [{ ...actionKey({ recipe, item, files }), item, files }];
  });
}

/** A record whose files are all there, or null. */
export function usableRecord({ key }: Pick<Action, "key">, { state, store }: Pick<Session, "state" | "store">) {
  const record = state.action(key);
  if (record === null) return null;
  return record.files.every(([, sha256, size]) => hasBlob(store, { sha256, size })) ? record : null;
}
