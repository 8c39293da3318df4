/** Declaring a stage: a typed function from artifacts and parameters to an artifact. */
import { z } from "zod";
import type { Artifact, Node } from "./artifact.ts";
import type { Hints } from "./hints.ts";
import type { Tree } from "./tree.ts";
import type { Writer } from "./writer.ts";

/** Role → kind. A kind with a trailing "?" marks a role that may be left out. */
type Roles = Readonly<Record<string, string>>;
type KindOf<Text extends string> = Text extends `${infer Kind}?` ? Kind : Text;
type OptionalRole<I extends Roles> = { [R in keyof I]: I[R] extends `${string}?` ? R : never }[keyof I];
type Artifacts<I extends Roles> =
  & { readonly [R in Exclude<keyof I, OptionalRole<I>>]: Artifact<KindOf<I[R]>> }
  & { readonly [R in OptionalRole<I>]?: Artifact<KindOf<I[R]>> | undefined };
type Trees<I extends Roles, R extends keyof I> = {
  readonly [Role in R]: Role extends OptionalRole<I> ? Tree | undefined : Tree;
};

/** How a rerun of a stage may differ from its first run; `verify` compares by it. */
export type Determinism = "bitwise" | "seeded" | { readonly atol: number; readonly rtol: number };

/** What a stage occupies while it runs. */
export interface Resources {
  /** At most one stage that names the GPU runs at a time. A function is asked when the stage is about to run: the machine may decide. */
  readonly gpu?: boolean | (() => boolean | Promise<boolean>);
  readonly cores?: number;
  readonly memoryMiB?: number;
}

/** What every `run` and `open` is given. */
interface OpenContext<Inputs, Params> {
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
  /** A folder of this action's own, kept over interruptions and deleted on success; made when first asked for. */
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

interface ItemsContext<Each, Shared, Params, Resource> extends RunContext<Shared, Params, Resource> {
  /** Up to `batch` items that need work. The result must not depend on how they are grouped. */
  readonly items: readonly Item<Each>[];
}

interface WholeContext<Inputs, Params, Resource> extends RunContext<Inputs, Params, Resource> {
  readonly out: Writer;
  /** Records that something has no result, and why. */
  skip(key: string, reason: string): void;
}

type ContextOf<I extends Roles, E extends readonly (keyof I & string)[], Params, Resource> = E["length"] extends 0
  ? WholeContext<Trees<I, keyof I>, Params, Resource>
  : ItemsContext<Trees<I, E[number]>, Trees<I, Exclude<keyof I, E[number]>>, Params, Resource>;

type SharedOf<I extends Roles, E extends readonly (keyof I & string)[]> = Trees<I, Exclude<keyof I, E[number]>>;

/** What {@link defineStage} takes. */
export interface StageDefinition<
  I extends Roles,
  K extends string,
  E extends readonly (keyof I & string)[],
  S extends z.ZodType,
  Resource,
> {
  /** Unique in a graph. */
  readonly name: string;
  /** `import.meta.url`: the stage's code is this module and all that it imports. */
  readonly module: string;
  readonly inputs: I;
  /** Kind of the result. */
  readonly output: K;
  /** Roles that are processed item by item; several are joined by item key. Absent: the stage runs as a whole. */
  readonly each?: E;
  /** How many items `run` gets at once, at most. Default 1. */
  readonly batch?: number;
  /** Schema of the parameters; what it returns (defaults filled in) enters the key. Default: none. */
  readonly params?: S;
  readonly determinism: Determinism;
  readonly resources?: Resources;
  /** Names of the facts that enter the key, such as "adapter". */
  readonly environment?: readonly string[];
  /** Makes what several `run` calls share, and only if one is needed. */
  readonly open?: (context: OpenContext<SharedOf<I, E>, z.output<S>>) => Resource | Promise<Resource>;
  readonly close?: (resource: Resource) => void | Promise<void>;
  readonly run: (context: ContextOf<I, E, z.output<S>, Resource>) => void | Promise<void>;
}

/** A stage with its types erased: what the engine works with. */
export interface Stage {
  readonly name: string;
  readonly module: string;
  readonly roles: Readonly<Record<string, { readonly kind: string; readonly optional: boolean }>>;
  readonly output: string;
  readonly each: readonly string[];
  readonly batch: number;
  readonly determinism: Determinism;
  readonly resources: Resources;
  readonly environment: readonly string[];
  readonly open: ((context: ErasedOpenContext) => unknown) | undefined;
  readonly close: ((resource: unknown) => void | Promise<void>) | undefined;
  readonly run: (context: ErasedContext) => void | Promise<void>;
}

type Erased = Readonly<Record<string, Tree | undefined>>;
/** @internal */
export type ErasedOpenContext = OpenContext<Erased, unknown>;
/** @internal */
export type ErasedContext = ItemsContext<Erased, Erased, unknown, unknown> | WholeContext<Erased, unknown, unknown>;

type ParamsArgument<T> = Record<never, never> extends T ? [params?: T] : [params: T];

/** A stage as the experiment sees it: call it to get a lazy artifact. */
export interface StageFunction<I extends Roles, K extends string, S extends z.ZodType> {
  (inputs: Artifacts<I>, ...params: ParamsArgument<z.input<S>>): Artifact<K>;
  readonly stage: Stage;
}

/**
 * Declares a stage. Its result is stored under the hash of all that could change it: its name, the code it imports,
 * its parameters, its inputs' contents and the environment facts that it names.
 */
export function defineStage<
  const I extends Roles,
  const K extends string,
  const E extends readonly (keyof I & string)[] = readonly [],
  S extends z.ZodType = z.ZodObject<Record<never, never>>,
  Resource = undefined,
>(definition: StageDefinition<I, K, E, S, Resource>): StageFunction<I, K, S> {
  const stage = erase(definition);
  const schema: z.ZodType = definition.params ?? z.object({}).strict();
  function apply(inputs: Artifacts<I>, ...[params]: ParamsArgument<z.input<S>>): Artifact<K> {
    const given: Readonly<Record<string, Artifact | undefined>> = inputs;
    const parsed = schema.safeParse(params ?? {});
    if (!parsed.success) throw new TypeError(`stage "${stage.name}": bad parameters\n${z.prettifyError(parsed.error)}`);
    const nodes = checkInputs(stage, given);
    return { kind: definition.output, node: { type: "stage", stage, inputs: nodes, params: parsed.data } };
  }
  return Object.assign(apply, { stage });
}

function checkInputs(stage: Stage, given: Readonly<Record<string, Artifact | undefined>>): Record<string, Node> {
  const nodes: Record<string, Node> = {};
  for (const [role, { kind, optional }] of Object.entries(stage.roles)) {
    const artifact = given[role];
    if (artifact === undefined) {
      if (optional) continue;
      throw new TypeError(`stage "${stage.name}": input "${role}" is missing`);
    }
    if (artifact.kind !== kind) {
      throw new TypeError(`stage "${stage.name}": input "${role}" is of kind "${artifact.kind}", not "${kind}"`);
    }
    nodes[role] = artifact.node;
  }
  for (const role of Object.keys(given)) {
    if (stage.roles[role] === undefined) throw new TypeError(`stage "${stage.name}" has no input "${role}"`);
  }
  return nodes;
}

function erase<I extends Roles, K extends string, E extends readonly (keyof I & string)[], S extends z.ZodType, R>(
  definition: StageDefinition<I, K, E, S, R>,
): Stage {
  const { name, module, output, determinism, open, close, run } = definition;
  const each: readonly string[] = definition.each ?? [];
  const roles: Record<string, { kind: string; optional: boolean }> = {};
  for (const [role, text] of Object.entries(definition.inputs)) {
    if (!/^[A-Za-z]\w*$/.test(role)) throw new TypeError(`stage "${name}": "${role}" is not a usable role name`);
    roles[role] = { kind: text.replace(/\?$/, ""), optional: text.endsWith("?") };
  }
  if (!/^[\w.-]+$/.test(name)) throw new TypeError(`"${name}" is not a usable stage name`);
  if (each[0] !== undefined && roles[each[0]]?.optional) {
    throw new TypeError(`stage "${name}": the first "each" role, "${each[0]}", cannot be optional`);
  }
  return {
    name,
    module,
    roles,
    output,
    each,
    batch: Math.max(1, definition.batch ?? 1),
    determinism,
    resources: definition.resources ?? {},
    environment: definition.environment ?? [],
    open: open && ((context) => open(context as never)),
    close: close && ((resource) => close(resource as never)),
    run: (context) => run(context as never),
  };
}
