/** A stage that ran again though it was recorded: is its result the recorded one, as its class promises? */
import { hasBlob, readBlob } from "./blobs.ts";
import { compareFiles } from "./compare.ts";
import type { Determinism } from "./contract.ts";
import type { Store } from "./store.ts";
import type { Listing } from "./tree.ts";

/** How the rerun compares. */
export interface ChangeOptions {
  readonly after: Listing;
  readonly determinism: Determinism;
  readonly store: Store;
}

/** Files that a message names before it only counts. */
const NAMES = 3;

/** What the stage's determinism class does not allow, in one line; empty where there is nothing. */
export async function changesSince(
  before: Listing,
  { after, determinism, store }: ChangeOptions,
): Promise<readonly string[]> {
  if (determinism === "seeded") return [];
  const made = new Map(after.files.map(([path, sha256, size]) => [path, { sha256, size }]));
  const lines: string[] = [];
  for (const [path, sha256, size] of before.files) {
    const [old, now] = [{ sha256, size }, made.get(path)];
    made.delete(path);
    if (now === undefined) lines.push(`${path} was not written again`);
    else if (now.sha256 !== sha256) {
      const lost = !hasBlob(store, old);
      const pair = lost ? null : { before: await readBlob(store, old), after: await readBlob(store, now) };
      const detail = pair === null ? "differs" : await compareFiles(path, pair, determinism);
      if (detail !== null) lines.push(`${path}: ${detail}`);
    }
  }
  for (const path of made.keys()) lines.push(`${path} was not written before`);
  if (JSON.stringify(before.skipped) !== JSON.stringify(after.skipped)) lines.push("other items were skipped");
  if (lines.length === 0) return [];
  const promise = determinism === "bitwise" ? "bitwise" : "equal within a tolerance";
  const rest = lines.length > NAMES ? `; and ${lines.length - NAMES} more` : "";
  return [
    `declared ${promise}, but it made another result than the recorded one: ${lines.slice(0, NAMES).join("; ")}${rest}`,
  ];
}
