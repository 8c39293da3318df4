/** What one call of `reproduce` has open: store, records, resources, the signal to stop. */
import { checkAmount } from "./amounts.ts";
import { changedCode, type Code, codeDigest, type CodeDigests, codeDigests } from "./code.ts";
import type { StageNode } from "./artifact.ts";
import { AbortedError, asStageError, CodeChangedError, PipelineError } from "./errors.ts";
import { editedSinceLoaded, mayHaveChanged } from "./code_watch.ts";
import { canonical } from "./hash.ts";
import { type Recipe, SCHEMA } from "./keys.ts";
import { firstCode, noteFirstCode } from "./loaded.ts";
import { tryLock } from "./locks.ts";
import { checkDefinition } from "./one_definition.ts";
import { own } from "./own.ts";
import { plain } from "./plain.ts";
import type { Plan } from "./plan.ts";
import { defaultReporter, type Reporter } from "./report.ts";
import { openPool, type Pool } from "./resources.ts";
import { checkApart } from "./sources.ts";
import { openState, type State } from "./state.ts";
import { openStore, remove, type Store } from "./store.ts";
import { urlPath } from "./url_path.ts";

/** Named facts about the machine: an object, or a function that finds them out when they are first needed. */
export type Facts = Readonly<Record<string, unknown>> | (() => Promise<Readonly<Record<string, unknown>>>);

/** How to run. */
export interface Options {
  /** The store's folder. Default ".ftim". */
  readonly store?: string;
  /** Cores to use. Default: all. */
  readonly jobs?: number;
  /** Memory that stages may plan with, in MiB. Default 4096. */
  readonly memoryMiB?: number;
  /** Default: a live tree on a terminal, plain lines elsewhere, on standard error. */
  readonly reporter?: Reporter;
  /** Abort to stop; finished work is kept. */
  readonly signal?: AbortSignal;
  /** Where stages' code digests come from. Default: `deno info` on the main module. */
  readonly codeDigests?: CodeDigests;
  /** What stages may name in `environment`; also written into the run record. */
  readonly facts?: Facts;
  /**
   * Whether the GPU's work went well: called after each call of a stage that asked for the GPU, and when one has
   * failed, before anything of it is recorded. What it throws fails the stage. A GPU reports errors late, and leaves
   * zeros where results should be.
   *
   * @param stage the stage's label
   */
  readonly checkGpu?: (stage: string) => Promise<void>;
  /** Changing it disowns every earlier result. */
  readonly salt?: string;
  /** Stages, by name or label, that run again though they are recorded. */
  readonly force?: readonly string[];
  /** After a failure, go on with the stages that do not need what failed. */
  readonly keepGoing?: boolean;
  /** What the caller wants to find again in the run record, such as the command. */
  readonly about?: Readonly<Record<string, string>>;
}

/** The disk takes so many flushes at once to advantage: it writes them in one go. */
const FLUSHES = 16;

/** An open session. */
export interface Session extends Disposable {
  readonly store: Store;
  readonly state: State;
  readonly pool: Pool;
  /** Who may flush results to the disk; its "cores" are how many do so at once. */
  readonly disk: Pool;
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly emit: Reporter;
  /** Labels of the stages that run at the moment. */
  readonly running: Set<string>;
  /** Everything but the inputs that a stage's key holds. */
  recipe(node: StageNode): Promise<Recipe>;
  /** The facts, found out if they were not yet. */
  facts(): Promise<Readonly<Record<string, unknown>>>;
  /**
   * Throws {@link CodeChangedError} if a stage's code, which is about to run, is not what its key says, but an earlier
   * version that this process has in memory.
   */
  checkLoaded(node: Pick<StageNode, "stage">): Promise<void>;
  /** See {@link Options.checkGpu}. */
  checkGpu(stage: string): Promise<void>;
  /** Throws {@link CodeChangedError} if a stage's code, which has just run, is no longer what its key says. */
  checkCode(node: Pick<StageNode, "stage">): Promise<void>;
  /** Throws {@link AbortedError} once the signal is aborted. */
  checkAborted(): void;
  /** Makes the run end with an error that nobody is left to catch. */
  fail(error: PipelineError): void;
  /** Throws once the session has failed or is closed, so that an abandoned stage records nothing. */
  checkOpen(): void;
}

/** Removes scratch folders of actions that are done: their process was killed between recording and removing. */
function sweepScratch({ store, state }: Pick<Session, "store" | "state">): void {
  for (const { name } of Deno.readDirSync(`${store.root}/scratch`)) {
    // a folder after an overdue attempt's is named with a number behind the key
    const [key = name] = name.split("-");
    if (state.action(key) === null) continue;
    using lock = tryLock(`${store.root}/locks/${key}`);
    if (lock !== null) remove(`${store.root}/scratch/${name}`);
  }
}

/** How a session is opened: `readOnly` for one that only looks, also at a store that cannot be written. */
interface SessionOptions extends Options {
  readonly signal: AbortSignal;
  readonly readOnly?: boolean;
}

/** A stage module's code. */
interface KnownCode {
  readonly code: Code;
  readonly digest: string;
  /** What the code calls the module itself. */
  readonly name: string;
}

/** Opens a session for a plan. */
export async function openSession(plan: Plan, options: SessionOptions): Promise<Session> {
  const { store: root = ".ftim", jobs = navigator.hardwareConcurrency, memoryMiB = 4096, signal, salt = "" } = options;
  checkAmount(jobs, { name: 'the option "jobs"', least: 1, whole: true });
  checkAmount(memoryMiB, { name: 'the option "memoryMiB"', least: 0, endless: true });
  const emit = options.reporter ?? defaultReporter();
  const { readOnly = false } = options;
  checkApart(root, plan.vertices.flatMap(({ node }) => node.type === "source" ? [node] : []));
  const store = await openStore(root, { readOnly });
  let state: State;
  try {
    // who says what the code is says so of each definition
    if (options.codeDigests === undefined) {
      for (const { node } of plan.vertices) if (node.type === "stage") checkDefinition(node.stage, store.root);
    }
    state = openState(store.records, { warn: (message) => emit({ type: "warning", message }) });
    if (store.records === store.root) sweepScratch({ store, state });
  } catch (error) {
    store[Symbol.dispose]();
    throw error;
  }
  const modules = plan.vertices.flatMap(({ node }) => node.type === "stage" ? [node.stage.module] : []);
  // null where the caller says what the code is: then there are no files to look at
  const watched = options.codeDigests === undefined ? codeDigests(state) : null;
  const digestCode = options.codeDigests ?? watched ?? codeDigests(state);
  let codes: Promise<ReadonlyMap<string, KnownCode>> | undefined;
  const looked = new Set<string>();
  let facts: Promise<Readonly<Record<string, unknown>>> | undefined;
  const gpuLock = `${store.root}/gpu.lock`;
  let open = true;
  let failure: PipelineError | null = null;

  async function readCodes() {
    const found = await digestCode([...new Set(modules)]);
    for (const code of found.values()) state.putDocument(canonical(code));
    return new Map([...found].map(([module, code]) => {
      return [module, { code, digest: codeDigest(code), name: nameIn(code.modules, module) }];
    }));
  }
  async function codeOf({ stage }: Pick<StageNode, "stage">) {
    const code = (await (codes ??= readCodes())).get(stage.module);
    if (code === undefined) throw new PipelineError(`stage "${stage.name}": no code digest for ${stage.module}`);
    return code;
  }
  async function findFacts() {
    return typeof options.facts === "function" ? await options.facts() : options.facts ?? {};
  }
  const readFacts = () => facts ??= findFacts();

  return {
    store,
    state,
    pool: openPool({ cores: jobs, memoryMiB, gpuLock, signal }),
    disk: openPool({ cores: FLUSHES, memoryMiB, gpuLock, signal }),
    jobs,
    signal,
    emit,
    running: new Set(),
    facts: readFacts,
    checkGpu: options.checkGpu ?? (() => Promise.resolve()),
    async recipe({ stage, params }) {
      const { name: module, digest: code } = await codeOf({ stage });
      const environment: Record<string, unknown> = {};
      for (const name of stage.environment) {
        const known = await readFacts().catch((error) => {
          throw asStageError(error, {
            stage: stage.name,
            what: `it needs the fact "${name}", which was not found out`,
          });
        });
        const fact = own(known, name);
        if (fact === undefined) {
          throw new PipelineError(`stage "${stage.name}" needs the fact "${name}", which is not given`);
        }
        environment[name] = plain(fact, `stage "${stage.name}": the fact "${name}"`);
      }
      return { schema: SCHEMA, salt, stage: stage.name, module, code, params, environment, each: stage.each };
    },
    async checkLoaded({ stage }) {
      if (watched === null || looked.has(stage.module)) return;
      const { code } = await codeOf({ stage });
      const before = firstCode(stage.module) ?? code;
      const { names, ahead } = editedSinceLoaded(stage.module, watched.files(stage.module));
      const edited = [...new Set([...changedCode(before, code), ...names])];
      if (edited.length > 0) throw new CodeChangedError(stage.name, edited, { when: "start", ahead });
    },
    async checkCode({ stage }) {
      // what a stage loads when it first runs stays in memory; what it reads, it may read again for each batch
      const first = !looked.has(stage.module);
      if (!first && (watched === null || !mayHaveChanged(watched.files(stage.module)))) return;
      const { code, digest } = await codeOf({ stage });
      const now = (await digestCode([stage.module])).get(stage.module) ?? { modules: {}, packages: {} };
      if (codeDigest(now) !== digest) throw new CodeChangedError(stage.name, changedCode(code, now));
      if (!first) return;
      looked.add(stage.module);
      if (watched !== null) noteFirstCode(stage.module, { code, files: watched.files(stage.module) });
    },
    checkAborted() {
      if (signal.aborted) throw new AbortedError("interrupted; finished work is kept");
    },
    fail(error) {
      failure ??= error;
    },
    checkOpen() {
      if (failure !== null) throw failure;
      if (!open) throw new AbortedError("interrupted");
    },
    [Symbol.dispose]() {
      open = false;
      try {
        state[Symbol.dispose]();
      } finally {
        store[Symbol.dispose]();
      }
    },
  };
}

/** What a module is called among some names of modules, which are paths from some folder; empty for none of them. */
function nameIn(modules: Readonly<Record<string, unknown>>, url: string): string {
  const path = url.startsWith("file:") ? urlPath(url) : url;
  const names = Object.keys(modules).filter((name) => {
    const below = name.replace(/^(\.\.\/)+/, "");
    return path === name || path.endsWith(`/${below}`);
  });
  return names.toSorted((a, b) => b.length - a.length)[0] ?? "";
}
