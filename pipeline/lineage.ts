/** Who made what from what, read out of the stored key documents. */
import { bundlesOf } from "./bundle.ts";
import { PipelineError } from "./errors.ts";
import { hashFile } from "./hash.ts";
import type { NodePreimage } from "./keys.ts";
import { type FinishedNode, finishedNodes } from "./records.ts";
import { lastUses } from "./run_record.ts";
import { openState, type State } from "./state.ts";
import { existingStore, openStore } from "./store.ts";
import type { Listing } from "./tree.ts";

/** A finished stage with what it was made from. */
export interface Origin {
  readonly node: FinishedNode;
  readonly preimage: NodePreimage;
  readonly inputs: readonly OriginInput[];
}

/** One input of a stage: the listing, and the stage that made it (null: files of the user's). */
export interface OriginInput {
  readonly role: string;
  readonly digest: string;
  readonly listing: Listing;
  readonly maker: FinishedNode | null;
}

/** The stages behind some node, inputs before their users. */
export function lineageOf(target: FinishedNode, { nodes, state }: Records): readonly Origin[] {
  const makers = Map.groupBy(nodes, ({ tree }) => tree);
  const origins = new Map<string, Origin>();
  const users = new Set<string>();
  function visit(node: FinishedNode): void {
    if (origins.has(node.key)) return;
    users.add(node.key);
    const origin = originOf(node, { nodes, state, makers, users });
    for (const { maker } of origin.inputs) if (maker !== null) visit(maker);
    users.delete(node.key);
    // after what it is made from
    origins.set(node.key, origin);
  }
  visit(target);
  return [...origins.values()];
}

interface Records {
  readonly nodes: readonly FinishedNode[];
  readonly state: State;
}

function originOf(
  node: FinishedNode,
  { nodes, state, makers, users }: Records & {
    /** By the tree that they made. */
    readonly makers: ReadonlyMap<string, readonly FinishedNode[]>;
    /** Keys of the node and of those that it was made for: a stage that changes nothing did not make its own input. */
    readonly users: ReadonlySet<string>;
  },
): Origin {
  const preimage: NodePreimage = JSON.parse(node.preimage);
  const inputs = Object.entries(preimage.inputs).map(([role, digest]) => {
    const text = state.document(digest);
    if (text === null) {
      const what = `which files "${role}" of stage "${node.stage}" were`;
      throw new PipelineError(`state.db has lost ${what}: run fsck, then reproduce`);
    }
    const listing: Listing = JSON.parse(text);
    const others = (some: readonly FinishedNode[]) => some.filter(({ key }) => !users.has(key));
    const [maker = partMaker(listing, others(nodes))] = others(makers.get(digest) ?? []);
    return { role, digest, listing, maker };
  });
  return { node, preimage, inputs };
}

/** The stage of whose result a listing is a part (a pick). */
function partMaker({ files }: Listing, nodes: readonly FinishedNode[]): FinishedNode | null {
  if (files.length === 0) return null;
  const whole = (node: FinishedNode) => {
    const rows = new Map(node.listing?.files.map(([path, sha]) => [path, sha]));
    return files.every(([path, sha]) => rows.get(path) === sha);
  };
  return nodes.find(whole) ?? null;
}

/**
 * The chain of stages behind a file with parameters, code and inputs, out of the store. Matched by content.
 *
 * @returns null where no stage of the store made such a file
 */
export async function lineageText(
  path: string,
  { store: root }: { readonly store: string },
): Promise<string | null> {
  using store = await openStore(existingStore(root), { readOnly: true });
  using state = openState(store.records, { warn: console.error });
  const { sha256, size } = await hashFile(path);
  const nodes = finishedNodes(state, { uses: lastUses(store.root) });
  const maker = nodes.find(({ listing }) => listing?.files.some(([, sha]) => sha === sha256));
  if (maker === undefined) return null;
  const name = maker.listing?.files.find(([, sha]) => sha === sha256)?.[0];
  const origins = lineageOf(maker, { nodes, state }).toReversed();
  const times = new Map(
    bundlesOf(origins.map(({ node }) => node.key), state).map(({ node }) => [node.key, node.ended]),
  );
  const lines = [`${path}`, `  sha256 ${sha256}, ${size} bytes`, `  is ${name} of stage "${maker.stage}"`, ""];
  for (const { node, preimage, inputs } of origins) {
    const ended = new Date(times.get(node.key) ?? 0).toISOString();
    lines.push(`${node.stage}  (${ended})`);
    const params = JSON.stringify(preimage.params);
    if (params !== "{}") lines.push(`  params ${params}`);
    const environment = JSON.stringify(preimage.environment);
    if (environment !== "{}") lines.push(`  environment ${environment}`);
    lines.push(`  code   ${preimage.code}`);
    for (const { role, digest, listing: { files }, maker } of inputs) {
      const what = files.length === 1 ? files[0]?.[0] : `${files.length} files`;
      lines.push(`  input  ${role}: ${what} ${maker === null ? "of the user's" : `from ${maker.stage}`}, ${digest}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
