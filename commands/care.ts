/** `fsck`, `verify`, `gc`: looks after the store. */
import { type Command, InvalidArgumentError } from "commander";
import { fsck, gc, verify } from "@ftim/pipeline";
import {
  artifactsOf,
  byteText,
  type Common,
  count,
  engineOptions,
  experimentCommand,
  place,
  storeCommand,
  type StoreOptions,
} from "./common.ts";
import { Failure } from "./failure.ts";

/** Adds the commands. */
export function care(program: Command): void {
  storeCommand(program, ["fsck", "re-hash every stored object; what is damaged will be recomputed"])
    .action(({ store }: StoreOptions) => check(store));
  experimentCommand(program, ["verify", "run recorded stages again and compare"])
    .option("--stages <names>", "only these stages, separated by commas", (text) => text.split(","))
    .option("--items <n>", "at most so many items a stage", count)
    .action(rerun);
  storeCommand(program, ["gc", "free space that neither the last runs nor the published results need"])
    .option("--results <folder>", "whose makers are kept", place, "results")
    .option("--runs <n>", "keep what the last so many runs used", whole, 5)
    .option("--max-bytes <n>", "keep up to so much of other results: 500M, 20G", bytes, 0)
    .option("--dry-run", "count, but delete nothing")
    .action(collect);
}

async function check(store: string): Promise<void> {
  const { blobs, bytes, corrupt, missing, strays, forgotten, clean } = await fsck(store);
  console.log(`${blobs} objects, ${byteText(bytes)}`);
  for (const sha of corrupt) console.log(`damaged, now in quarantine: ${sha}`);
  for (const sha of missing) console.log(`missing: ${sha}`);
  for (const path of strays) console.log(`moved away, as it has no place there: ${path}`);
  if (clean) return console.log("clean");
  console.log(`${forgotten} records were dropped; the next run recomputes them`);
  throw new Failure();
}

async function rerun(
  options: Common & { readonly stages?: readonly string[]; readonly items?: number },
): Promise<void> {
  const { stages, items } = options;
  const rows = await verify(await artifactsOf(options), {
    ...engineOptions(options),
    ...(stages === undefined ? {} : { stages }),
    ...(items === undefined ? {} : { items }),
  });
  const width = Math.max(0, ...rows.map(({ label }) => label.length));
  for (const { label, verdict, items, differences } of rows) {
    console.log(`${label.padEnd(width)}  ${verdict}, ${items} run again`);
    for (const line of differences.slice(0, 5)) console.log(`${" ".repeat(width)}  └ ${line}`);
    if (differences.length > 5) console.log(`${" ".repeat(width)}  └ … ${differences.length - 5} more`);
  }
  if (rows.some(({ verdict }) => verdict === "differs")) throw new Failure();
}

interface CollectOptions extends StoreOptions {
  readonly results: string;
  readonly runs: number;
  readonly maxBytes: number;
  readonly dryRun?: true;
}

async function collect({ results, dryRun, ...options }: CollectOptions): Promise<void> {
  const { kept, removed } = await gc({ ...options, keep: filesBelow(results), dryRun: dryRun === true });
  const verb = dryRun === true ? "would free" : "freed";
  console.log(`${verb} ${byteText(removed.bytes)} (${removed.blobs} objects, ${removed.records} records)`);
  console.log(`kept ${byteText(kept.bytes)} (${kept.blobs} objects)`);
}

function filesBelow(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory, isFile }) =>
      isDirectory ? filesBelow(`${folder}/${name}`) : isFile ? [`${folder}/${name}`] : []
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function whole(text: string): number {
  return text === "0" ? 0 : count(text);
}

const POWERS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

function bytes(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+)([kMGT]?)$/.exec(text) ?? [];
  if (digits === "") throw new InvalidArgumentError("It must be a number of bytes: 1000, 500M, 20G.");
  return Number(digits) * (POWERS[unit] ?? 1);
}
