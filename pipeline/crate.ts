/**
 * A run as a Provenance Run Crate (the Workflow Run RO-Crate profiles, on RO-Crate 1.1): what was run, by which code,
 * with which parameters, from which files to which files. Results of stages in between are given as datasets by digest
 * and size; the user's files and the targets are listed one by one.
 */
import { bundlesOf } from "./bundle.ts";
import { factsOf, readRun } from "./closure.ts";
import type { Code } from "./code.ts";
import type { Computes } from "./contract.ts";
import { PipelineError } from "./errors.ts";
import { lineageOf, type Origin } from "./lineage.ts";
import { own } from "./own.ts";
import { type FinishedNode, finishedNodes } from "./records.ts";
import { lastUses, type RunRecord } from "./run_record.ts";
import { type ActionRecord, openState } from "./state.ts";
import { existingStore, openStore } from "./store.ts";
import { type Listing, type Resolved, restrict } from "./tree.ts";

/** A node of the JSON-LD graph. */
export type Entity = Readonly<Record<string, unknown>> & {
  readonly "@id": string;
  readonly "@type": string | readonly string[];
};

/** `ro-crate-metadata.json`. */
export interface Crate {
  readonly "@context": readonly string[];
  readonly "@graph": readonly Entity[];
}

/** What the store does not know about the run. */
export interface CrateOptions {
  readonly store?: string;
  /** Default: the latest run. */
  readonly run?: string;
  /**
   * What the crate's file is called; another than `ro-crate-metadata.json`, the default, ends in
   * `-ro-crate-metadata.json`.
   */
  readonly file?: string;
  readonly name: string;
  readonly description: string;
  /** URL or SPDX identifier of the licence of the results. */
  readonly license: string;
  /** The program, relative to the crate. */
  readonly workflow: string;
  /** Folder of each target's files, relative to the crate. Default: the crate's own. */
  readonly folders?: Readonly<Record<string, string>>;
}

const PROFILES = [
  ["https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"],
  ["https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"],
  ["https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5"],
  ["https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"],
] as const;

/** Describes a run whose targets were all made. */
export async function crateOf(options: CrateOptions): Promise<Crate> {
  using store = await openStore(existingStore(options.store ?? ".ftim"), { readOnly: true });
  using state = openState(store.records, { warn: console.error });
  const record = readRun(store.root, options.run);
  const run = { ...record, facts: factsOf(store.root, record) };
  const nodes = finishedNodes(state, { uses: lastUses(store.root) });
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const origins = new Map<string, Origin>();
  const targets: Tree[] = Object.entries(run.targets).map(([name, label]) => {
    const node = byKey.get(run.stages[label]?.key ?? "");
    if (node === undefined) throw new PipelineError(`run ${run.id} has no result for its target "${name}"`);
    for (const origin of lineageOf(node, { nodes, state })) origins.set(origin.node.key, origin);
    const folder = own(options.folders ?? {}, name) ?? "";
    const patterns = own(run.picks, name);
    if (patterns === undefined) return { digest: node.tree, listing: node.listing, name, folder };
    const part = patterns.reduce(restrict, wholeOf(node));
    return { digest: part.digest, listing: part.listing(), name, folder, whole: node.tree };
  });
  const bundles = new Map(bundlesOf(origins.keys(), state).map((bundle) => [bundle.node.key, bundle]));
  const stages = [...origins.values()].map((origin, index) => {
    const code: Code = JSON.parse(state.document(origin.preimage.code) ?? '{"modules":{},"packages":{}}');
    const actions = bundles.get(origin.node.key)?.actions ?? [];
    const computes = own(run.computes ?? {}, origin.node.stage) ?? {};
    return stageEntities(origin, { actions, code, computes, position: index + 1 });
  });
  const sources: Tree[] = [...origins.values()].flatMap(({ inputs }) => inputs)
    .filter(({ maker }) => maker === null)
    .map(({ role, digest, listing }) => ({ digest, listing, name: role, folder: `#source-${digest.slice(0, 12)}` }));
  const between: Tree[] = [...origins.values()].flatMap(({ node, inputs }) => [
    ...inputs.map(({ role, digest, listing, maker }) => {
      return { digest, listing, name: role, folder: null, whole: maker?.tree ?? digest };
    }),
    { digest: node.tree, listing: node.listing, name: `result of ${node.stage}`, folder: null },
  ]);
  const graph = [
    ...crateEntities(options, { run, stages, targets }),
    ...runEntities(options, { run, stages, targets, sources }),
    ...stages.flatMap(({ all }) => all),
    // later ones take the place of earlier ones: targets and sources come with their files
    ...[...between, ...sources, ...targets].flatMap(treeEntities),
  ];
  const distinct = new Map(graph.map((entity) => [entity["@id"], entity]));
  return {
    "@context": ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"],
    "@graph": [...distinct.values()],
  };
}

function wholeOf({ tree, listing, stage }: FinishedNode): Resolved {
  if (listing === null) throw new PipelineError(`the records have lost what ${stage} made; run reproduce again`);
  return { digest: tree, listing: () => listing, source: null };
}

/** A tree to describe; its files one by one where there is a folder to put before their paths. */
interface Tree {
  readonly digest: string;
  readonly listing: Listing | null;
  readonly name: string;
  readonly folder: string | null;
  /** Digest of the result that it is a part of; the same as its own where it is the whole. */
  readonly whole?: string;
}

interface Parts {
  readonly run: RunRecord;
  readonly stages: readonly ReturnType<typeof stageEntities>[];
  readonly targets: readonly Tree[];
}

/** The crate itself: what it holds and what it promises. */
function crateEntities(options: CrateOptions, { run, stages, targets }: Parts): readonly Entity[] {
  const files = targets.flatMap(filesOf);
  const actions = stages.map(({ create }) => create["@id"]);
  const root: Entity = {
    "@id": "./",
    "@type": "Dataset",
    name: options.name,
    description: options.description,
    license: options.license,
    datePublished: run.ended,
    conformsTo: refs(PROFILES.map(([id]) => id)),
    mainEntity: { "@id": options.workflow },
    mentions: refs([`#run-${run.id}`, `#organize-${run.id}`, ...actions]),
    hasPart: refs([options.workflow, ...ids(files)]),
  };
  const profiles = PROFILES.map(([id, name, version]) => ({ "@id": id, "@type": "CreativeWork", name, version }));
  return [metadata(options.file), root, ...profiles];
}

/** The run of the whole: the program, the engine, and what each did. */
function runEntities(
  options: CrateOptions,
  { run, stages, targets, sources }: Parts & { readonly sources: readonly Tree[] },
): readonly Entity[] {
  const time = { startTime: run.started, endTime: run.ended };
  const status = run.summary.status === "done" ? "CompletedActionStatus" : "FailedActionStatus";
  const facts = Object.entries({ ...run.facts, ...run.versions })
    .map(([name, value]) => property(`#fact-${name}`, { name, value }));
  return [
    {
      "@id": options.workflow,
      "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
      name: options.name,
      programmingLanguage: { "@id": "https://www.typescriptlang.org/" },
      hasPart: refs(stages.map(({ tool }) => tool["@id"])),
      step: refs(stages.map(({ step }) => step["@id"])),
    },
    { "@id": "https://www.typescriptlang.org/", "@type": "ComputerLanguage", name: "TypeScript" },
    {
      "@id": "#engine",
      "@type": "SoftwareApplication",
      name: "pipeline",
      softwareVersion: `Deno ${run.versions.deno ?? ""}`.trim(),
    },
    {
      "@id": `#run-${run.id}`,
      "@type": "CreateAction",
      name: `Run of ${options.workflow}`,
      ...time,
      actionStatus: { "@id": `http://schema.org/${status}` },
      instrument: { "@id": options.workflow },
      object: refs(sources.map(({ digest }) => `#tree-${digest}`)),
      result: refs(targets.map(({ digest }) => `#tree-${digest}`)),
    },
    {
      "@id": `#organize-${run.id}`,
      "@type": "OrganizeAction",
      name: "Execution by the engine",
      ...time,
      instrument: { "@id": "#engine" },
      object: refs(stages.map(({ control }) => control["@id"])),
      result: { "@id": `#run-${run.id}` },
      ...(facts.length > 0 ? { additionalProperty: refs(ids(facts)) } : {}),
    },
    ...facts,
  ];
}

function metadata(file = "ro-crate-metadata.json"): Entity {
  return {
    "@id": file,
    "@type": "CreativeWork",
    about: { "@id": "./" },
    conformsTo: refs(["https://w3id.org/ro/crate/1.1", "https://w3id.org/workflowhub/workflow-ro-crate/1.0"]),
  };
}

interface StageOptions {
  readonly actions: readonly ActionRecord[];
  readonly code: Code;
  readonly computes: Computes;
  readonly position: number;
}

/** A stage as a tool, a step, the run of the tool and the engine's control of it. */
function stageEntities({ node, preimage, inputs }: Origin, { actions, code, computes, position }: StageOptions) {
  const short = node.key.slice(0, 12);
  const started = actions.reduce((first, { started }) => Math.min(first, started), Infinity);
  const ended = actions.reduce((last, { ended }) => Math.max(last, ended), 0);
  const given = {
    ...object(preimage.params),
    ...Object.fromEntries(Object.entries(preimage.environment).map(([k, v]) => [`environment.${k}`, v])),
  };
  const params = Object.entries(given).map(([name, value]) => property(`#param-${short}-${name}`, { name, value }));
  const tool: Entity = {
    "@id": `#stage-${node.stage}-${preimage.code.slice(0, 12)}`,
    "@type": "SoftwareApplication",
    name: node.stage,
    identifier: `sha256:${preimage.code}`,
    softwareVersion: preimage.code,
    softwareRequirements: Object.keys(code.packages).sort(),
    ...(Object.keys(computes).length === 0
      ? {}
      : { processorRequirements: Object.entries(computes).map(([backend, what]) => `${backend}: ${what}`) }),
  };
  const create: Entity = {
    "@id": `#action-${short}`,
    "@type": "CreateAction",
    name: node.stage,
    identifier: `sha256:${node.key}`,
    ...(actions.length > 0
      ? { startTime: new Date(started).toISOString(), endTime: new Date(ended).toISOString() }
      : {}),
    actionStatus: { "@id": "http://schema.org/CompletedActionStatus" },
    instrument: { "@id": tool["@id"] },
    object: refs([...inputs.map(({ digest }) => `#tree-${digest}`), ...ids(params)]),
    result: refs([`#tree-${node.tree}`]),
  };
  const step: Entity = {
    "@id": `#step-${short}`,
    "@type": "HowToStep",
    position: String(position),
    workExample: { "@id": tool["@id"] },
  };
  const control: Entity = {
    "@id": `#control-${short}`,
    "@type": "ControlAction",
    name: `${node.stage}, step ${position}`,
    instrument: { "@id": step["@id"] },
    object: { "@id": create["@id"] },
  };
  return { tool, create, step, control, all: [tool, create, step, control, ...params] };
}

function treeEntities(tree: Tree): readonly Entity[] {
  const { digest, listing, name, whole = digest } = tree;
  const size = listing?.files.reduce((sum, [, , bytes]) => sum + bytes, 0) ?? 0;
  const skipped = listing?.skipped.length ?? 0;
  const files = filesOf(tree);
  const entity: Entity = {
    "@id": `#tree-${digest}`,
    "@type": "Dataset",
    name,
    description: `${countOf(listing)}${skipped > 0 ? `, ${skipped} items skipped` : ""}`,
    identifier: `sha256:${digest}`,
    contentSize: String(size),
    ...(whole === digest ? {} : { isPartOf: { "@id": `#tree-${whole}` } }),
    ...(files.length > 0 ? { hasPart: refs(ids(files)) } : {}),
  };
  return [entity, ...files];
}

function countOf(listing: Listing | null): string {
  const count = listing?.files.length ?? 0;
  return count === 1 ? "1 file" : `${count} files`;
}

function filesOf({ listing, folder }: Tree): readonly Entity[] {
  if (folder === null) return [];
  return (listing?.files ?? []).map(([path, sha256, size]) => {
    const id = folder === "" ? path : `${folder}/${path}`;
    return { "@id": encodeURI(id), "@type": "File", name: path, contentSize: String(size), sha256 };
  });
}

function property(id: string, { name, value }: { readonly name: string; readonly value: unknown }): Entity {
  return {
    "@id": encodeURI(id),
    "@type": "PropertyValue",
    name,
    value: typeof value === "string" ? value : JSON.stringify(value),
  };
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function ids(entities: readonly Entity[]): readonly string[] {
  return entities.map((entity) => entity["@id"]);
}

function refs(names: readonly string[]): readonly { readonly "@id": string }[] {
  return [...new Set(names)].map((name) => ({ "@id": name }));
}
