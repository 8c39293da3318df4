/** What a stage's function is given, and whether what it made keeps the contract. */
import type { ErasedContext } from "./contract.ts";
import { PipelineError, StageError } from "./errors.ts";
import type { Action, Job } from "./job.ts";
import { fileAndFolder } from "./path.ts";
import { openTree, type Touched } from "./tree.ts";
import type { Sink } from "./writer.ts";

/** What an action has written and skipped so far. */
export interface Product {
  readonly action: Action;
  readonly sink: Sink;
  readonly skipped: [key: string, reason: string][];
  /** Whether it is in the records. */
  recorded: boolean;
}

/** What is the same for per-item and for whole stages. */
export type CommonContext = Omit<ErasedContext, "items" | "out" | "skip">;

interface ContextOptions {
  readonly job: Job;
  readonly products: readonly Product[];
  /** Collects what is read. */
  readonly touched: Touched;
}

/** Completes a context with the items, or with the whole stage's writer. */
export function contextOf(common: CommonContext, { job, products, touched }: ContextOptions): ErasedContext {
  // descriptors, because `signal` and `scratch` must stay getters
  const base = Object.getOwnPropertyDescriptors(common);
  const [first] = products;
  const extra = job.node.stage.each.length === 0 && first !== undefined
    ? { out: first.sink.writer, skip: (key: string, reason: string) => skip(first, [key, reason]) }
    : { items: products.map((product) => itemOf(product, { job, touched })) };
  return Object.defineProperties(extra, base) as unknown as ErasedContext;
}

function skip({ sink, skipped }: Product, row: [key: string, reason: string]): void {
  sink.check(`skipped "${row[0]}"`);
  const [key, reason] = row;
  if (!isText(key)) throw new TypeError(`skip: ${Deno.inspect(key)} is no key; call skip(key, reason)`);
  if (!isText(reason)) {
    throw new TypeError(`skip: "${key}" needs a reason, as text that is not empty, not ${Deno.inspect(reason)}`);
  }
  skipped.push(row);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "" && value.isWellFormed();
}

function itemOf(product: Product, { job, touched }: Omit<ContextOptions, "products">) {
  const { action, sink } = product;
  const inputs = Object.entries(action.files).map(([role, files]) => {
    const source = found(job.inputs, role).source;
    return [role, openTree({ files, skipped: [] }, { store: job.session.store, source, touched })];
  });
  return {
    key: action.item ?? "",
    // without a prototype: an optional role may have the name of what objects inherit
    inputs: Object.assign(Object.create(null), Object.fromEntries(inputs)),
    out: sink.writer,
    skip: (reason: string) => skip(product, [action.item ?? "", reason]),
  };
}

/** Throws where an action wrote nothing, or an item both wrote and skipped. */
export function checkProduct(label: string, { action, sink, skipped }: Product): void {
  const wrote = sink.files.length > 0;
  const both = fileAndFolder(sink.files.map(([path]) => path));
  if (both !== null) {
    throw new StageError(label, `wrote "${both}" as a file and files into it as a folder`, {
      items: action.item === null ? [] : [action.item],
    });
  }
  if (action.item === null) {
    if (!wrote) throw new StageError(label, "wrote no file");
    const keys = skipped.map(([key]) => key);
    const twice = keys.find((key, index) => keys.indexOf(key) !== index);
    if (twice !== undefined) throw new StageError(label, `skipped "${twice}" twice`);
    return;
  }
  const items = [action.item];
  if (skipped.length > 1) throw new StageError(label, "skipped an item twice", { items });
  if (skipped.length > 0 && wrote) throw new StageError(label, "wrote files and skipped", { items });
  if (skipped.length === 0 && !wrote) {
    throw new StageError(label, "wrote no file; call item.skip(reason) if there is nothing to write", { items });
  }
}

/** A role's value, which the plan has made sure of. */
export function found<T>(record: Readonly<Record<string, T>>, role: string): T {
  const value = record[role];
  if (value === undefined) throw new PipelineError(`unreachable: no input "${role}"`);
  return value;
}
