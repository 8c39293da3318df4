/**
 * What a stage and the engine promise each other: the context that a stage's function is given, and what it declares.
 */
import type { Hints } from "./hints.ts";
import type { AnyTrees, Role } from "./roles.ts";
import type { Writer } from "./writer.ts";

/** How a rerun of a stage may differ from its first run; `verify` compares by it. */
export type Determinism = "bitwise" | "seeded" | { readonly atol: number; readonly rtol: number };

/** What a stage occupies while it runs. */
export interface Resources {
  /**
   * At most one stage that names the GPU runs at a time. A function is asked when the stage is about to run: the
   * machine may decide.
   */
  readonly gpu?: boolean | (() => boolean | Promise<boolean>);
  readonly cores?: number;
  readonly memoryMiB?: number;
}

/**
 * What a stage computes where: a backend's name, such as "webgpu" or "cpu", and what it does there, in words. Shown by
 * the graph and kept in run records and provenance; it does not enter the key.
 */
export type Computes = Readonly<Record<string, string>>;

/** What every `run` and `open` is given. */
export interface OpenContext<Inputs, Params> {
  /** The whole inputs: every role that is not in `each`. */
  readonly inputs: Inputs;
  readonly params: Params;
  /** Aborted when the run is to stop; long work should listen. */
  readonly signal: AbortSignal;
  log(message: string): void;
}

interface RunContext<Inputs, Params, Resource> extends OpenContext<Inputs, Params> {
  /** What `open` returned. */
  readonly resource: Resource;
  /**
   * A folder of this action's own, kept over interruptions and deleted on success; made when first asked for. After an
   * attempt that was overdue, which may still write to its own, the next one gets another.
   */
  readonly scratch: string;
  /** What this machine is best served with, kept from run to run; never affects the result. */
  hints(name: string): Hints;
  /** Shows how far this call has come; never affects the result. */
  progress(done: number, total: number): void;
}

/** One item of a per-item stage. */
export interface Item<Inputs> {
  /** The item's key: its path up to the first dot of the base name. */
  readonly key: string;
  /** The item's own files, by `each` role. */
  readonly inputs: Inputs;
  /** Takes paths `${key}.…` and `${key}/…` only. */
  readonly out: Writer;
  /** Records that this item has no result, and why. */
  skip(reason: string): void;
}

/** What a stage that runs item by item is given. */
export interface ItemsContext<Each, Shared, Params, Resource> extends RunContext<Shared, Params, Resource> {
  /** Up to `batch` items that need work. The result must not depend on how they are grouped. */
  readonly items: readonly Item<Each>[];
}

/** What a stage that runs as a whole is given. */
export interface WholeContext<Inputs, Params, Resource> extends RunContext<Inputs, Params, Resource> {
  readonly out: Writer;
  /** Records that something has no result, and why. */
  skip(key: string, reason: string): void;
}

/** A stage with its types erased: what the engine works with. */
export interface Stage {
  readonly name: string;
  readonly module: string;
  readonly roles: Readonly<Record<string, Role>>;
  readonly output: string;
  readonly each: readonly string[];
  readonly batch: number;
  readonly determinism: Determinism;
  readonly resources: Resources;
  readonly computes: Computes;
  readonly timeLimit: number | undefined;
  readonly retries: number;
  readonly environment: readonly string[];
  readonly open: ((context: ErasedOpenContext) => unknown) | undefined;
  readonly close: ((resource: unknown) => void | Promise<void>) | undefined;
  readonly run: (context: ErasedContext) => void | Promise<void>;
}

/** @internal */
export type ErasedOpenContext = OpenContext<AnyTrees, unknown>;
/** @internal */
export type ErasedContext =
  | ItemsContext<AnyTrees, AnyTrees, unknown, unknown>
  | WholeContext<AnyTrees, unknown, unknown>;
