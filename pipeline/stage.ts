/** Declaring a stage: a typed function from artifacts and parameters to an artifact. */
import { z } from "zod";
import { checkAmount } from "./amounts.ts";
import type { Artifact, Node } from "./artifact.ts";
import type { Computes, Determinism, ItemsContext, OpenContext, Resources, Stage, WholeContext } from "./contract.ts";
import { noteDefined } from "./loaded.ts";
import { plain } from "./plain.ts";
import {
  entryName,
  type KindOf,
  type MapRole,
  type OptionalRole,
  parseRole,
  type Role,
  type Roles,
  type Trees,
} from "./roles.ts";

type Artifacts<I extends Roles> =
  & { readonly [R in Exclude<keyof I, OptionalRole<I> | MapRole<I>>]: Artifact<KindOf<I[R]>> }
  & { readonly [R in OptionalRole<I>]?: Artifact<KindOf<I[R]>> | undefined }
  & { readonly [R in MapRole<I>]: Readonly<Record<string, Artifact<KindOf<I[R]>> | undefined>> };

/** Roles that can be processed item by item. */
type EachRole<I extends Roles> = Exclude<keyof I, MapRole<I>> & string;

type ContextOf<I extends Roles, E extends readonly EachRole<I>[], Params, Resource> = E["length"] extends 0
  ? WholeContext<Trees<I, keyof I>, Params, Resource>
  : ItemsContext<Trees<I, E[number]>, Trees<I, Exclude<keyof I, E[number]>>, Params, Resource>;

type SharedOf<I extends Roles, E extends readonly EachRole<I>[]> = Trees<I, Exclude<keyof I, E[number]>>;

/** What {@link defineStage} takes. */
export interface StageDefinition<
  I extends Roles,
  K extends string,
  E extends readonly EachRole<I>[],
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
  /**
   * Schema of the parameters; what it returns (defaults filled in) enters the key, so it must be what JSON can say: a
   * map, a date or -0 is refused. Default: none.
   */
  readonly params?: S;
  readonly determinism: Determinism;
  readonly resources?: Resources;
  readonly computes?: Computes;
  /**
   * Seconds that each of these may take, at most 2,000,000: a call of `run`, with `open` where it waits for that; the
   * end of what it left on the GPU; a call of `close`. Then its signal is aborted, and what it makes is dropped,
   * whether it listens or not. One that does not listen goes on in the background until it returns by itself; one that
   * never gives the thread back cannot be stopped before it returns. Default: no limit.
   */
  readonly timeLimit?: number;
  /** How often a call of `run` that failed is made again. Default 0. */
  readonly retries?: number;
  /** Names of the facts that enter the key, such as "adapter". */
  readonly environment?: readonly string[];
  /** Makes what several `run` calls share, and only if one is needed. */
  readonly open?: (context: OpenContext<SharedOf<I, E>, z.output<S>>) => Resource | Promise<Resource>;
  readonly close?: (resource: Resource) => void | Promise<void>;
  readonly run: (context: ContextOf<I, E, z.output<S>, Resource>) => void | Promise<void>;
}

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
  const E extends readonly EachRole<I>[] = readonly [],
  S extends z.ZodType = z.ZodObject<Record<never, never>>,
  Resource = undefined,
>(definition: StageDefinition<I, K, E, S, Resource>): StageFunction<I, K, S> {
  const stage = erase(definition);
  noteDefined(stage.module);
  const schema: z.ZodType = definition.params ?? z.object({}).strict();
  function apply(inputs: Artifacts<I>, ...[params]: ParamsArgument<z.input<S>>): Artifact<K> {
    const parsed = schema.safeParse(params ?? {});
    if (!parsed.success) throw new TypeError(`stage "${stage.name}": bad parameters\n${z.prettifyError(parsed.error)}`);
    const nodes = checkInputs(stage, inputs);
    const plainParams = plain(parsed.data, `stage "${stage.name}": params`);
    return { kind: definition.output, node: { type: "stage", stage, inputs: nodes, params: plainParams } };
  }
  return Object.assign(apply, { stage });
}

/** What a caller gives for a role, before it is checked: an artifact, or artifacts by name. */
type Given = Artifact | Readonly<Record<string, Artifact | undefined>> | undefined;

function checkInputs(stage: Stage, given: Readonly<Record<string, Given>>): Record<string, Node> {
  const nodes: Record<string, Node> = {};
  for (const [role, { kind, takes }] of Object.entries(stage.roles)) {
    const input = Object.hasOwn(given, role) ? given[role] : undefined;
    if (input === undefined) {
      if (takes === "one or none") continue;
      const advice = takes === "one" ? "" : `; give {} if there is no "${kind}"`;
      throw new TypeError(`stage "${stage.name}": input "${role}" is missing${advice}`);
    }
    for (const [name, artifact] of artifactsOf(input, { stage, role })) {
      if (artifact.kind !== kind) {
        throw new TypeError(`stage "${stage.name}": input "${name}" is of kind "${artifact.kind}", not "${kind}"`);
      }
      nodes[name] = artifact.node;
    }
  }
  for (const role of Object.keys(given)) {
    if (!Object.hasOwn(stage.roles, role)) throw new TypeError(`stage "${stage.name}" has no input "${role}"`);
  }
  return nodes;
}

type InputName = readonly [name: string, artifact: Artifact];

/** The artifacts given for a role, by what they are called among the stage's inputs. */
function artifactsOf(
  input: Exclude<Given, undefined>,
  { stage, role }: { readonly stage: Stage; readonly role: string },
): readonly InputName[] {
  const where = `stage "${stage.name}": input "${role}"`;
  if (stage.roles[role]?.takes !== "any number by name") {
    if (isArtifact(input)) return [[role, input]];
    throw new TypeError(`${where} takes one artifact`);
  }
  // the literal { __proto__: artifact } names no entry: it replaces the prototype
  if (isArtifact(input) || !isPlain(input)) throw new TypeError(`${where} takes artifacts by name: { name: artifact }`);
  return Object.entries(input).sort(([a], [b]) => a < b ? -1 : 1).flatMap(([name, artifact]): InputName[] => {
    if (!/^[\w.-]+$/.test(name)) {
      throw new TypeError(`${where}: "${name}" cannot name an entry: use letters, digits, "_", "." and "-"`);
    }
    if (artifact === undefined) return [];
    if (!isArtifact(artifact)) throw new TypeError(`${where}: its entry "${name}" is not an artifact`);
    return [[entryName(role, name), artifact]];
  });
}

function isArtifact(value: object): value is Artifact {
  return isPlain(value) && "node" in value && "kind" in value && typeof value.kind === "string";
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The longest time limit, in seconds: a timer counts milliseconds in 31 bits. */
const LONGEST = 2_000_000;

function erase<I extends Roles, K extends string, E extends readonly EachRole<I>[], S extends z.ZodType, R>(
  definition: StageDefinition<I, K, E, S, R>,
): Stage {
  const { name, module, output, determinism, batch = 1, timeLimit, retries = 0, open, close, run } = definition;
  const { resources = {}, computes = {} } = definition;
  const each: readonly string[] = definition.each ?? [];
  const roles: Record<string, Role> = Object.create(null);
  for (const [role, text] of Object.entries(definition.inputs)) {
    if (!/^[A-Za-z]\w*$/.test(role)) throw new TypeError(`stage "${name}": "${role}" is not a usable role name`);
    roles[role] = parseRole(text);
  }
  if (!/^[\w.-]+$/.test(name)) throw new TypeError(`"${name}" is not a usable stage name`);
  if (timeLimit !== undefined && !(timeLimit > 0 && timeLimit <= LONGEST)) {
    const wanted = `more than 0 and at most ${LONGEST} seconds`;
    throw new TypeError(`stage "${name}": its time limit must be ${wanted}, not ${timeLimit}`);
  }
  for (const [backend, what] of Object.entries(computes)) {
    if (/^[\w-]+$/.test(backend) && what !== "") continue;
    throw new TypeError(
      `stage "${name}": computes takes a backend's name and what runs there, not "${backend}": "${what}"`,
    );
  }
  const its = `stage "${name}": its`;
  checkAmount(retries, { name: `${its} retries`, least: 0, whole: true });
  checkAmount(batch, { name: `${its} batch`, least: 1, whole: true });
  checkAmount(resources.cores, { name: `${its} cores`, least: 0 });
  checkAmount(resources.memoryMiB, { name: `${its} memoryMiB`, least: 0 });
  for (const role of each) {
    if (roles[role]?.takes !== "any number by name") continue;
    throw new TypeError(`stage "${name}": "${role}" takes artifacts by name and cannot be in "each"`);
  }
  if (each[0] !== undefined && roles[each[0]]?.takes === "one or none") {
    throw new TypeError(`stage "${name}": the first "each" role, "${each[0]}", cannot be optional`);
  }
  return {
    name,
    module,
    roles,
    output,
    each,
    batch,
    determinism,
    resources,
    computes,
    timeLimit,
    retries,
    environment: definition.environment ?? [],
    open: open && ((context) => open(context as never)),
    close: close && ((resource) => close(resource as never)),
    run: (context) => run(context as never),
  };
}
