/** `export`, `import`, `push`, `pull`, `provenance`: results on other machines, and where they came from. */
import { type Command, InvalidArgumentError } from "commander";
import {
  exportRun,
  folderRemote,
  importRun,
  type Progress,
  provenanceText,
  type Pull,
  pull,
  push,
  type Remote,
  s3Remote,
  type Transfer,
  type TravelOptions,
} from "@ftim/pipeline";
import {
  ABLATION,
  artifactsOf,
  byteText,
  type Common,
  engineOptions,
  experimentCommand,
  place,
  PUBLISHED,
  storeCommand,
  type StoreOptions,
} from "./common.ts";

type RunOptions = StoreOptions & { readonly run?: string; readonly verify?: boolean };

/** Adds the commands. */
export function travel(program: Command): void {
  storeCommand(program, ["provenance", "how a published file was made"]).argument("<file>", "the published file", place)
    .action(async (file: string, options: StoreOptions) => console.log(await provenanceText(file, options)));
  storeCommand(program, ["export", "write a run's results to a tar file for another machine"]).argument(
    "<tar>",
    "the tar file",
    place,
  )
    .option("--run <id>", "default: the latest")
    .action(async (file: string, options: RunOptions) => {
      say("exported", await underWay((travelling) => exportRun(file, { ...options, ...travelling })));
    });
  storeCommand(program, ["import", "take results from a tar file"]).argument("<tar>", "the tar file", place)
    .action(async (file: string, options: StoreOptions) => {
      say("imported", await underWay((travelling) => importRun(file, { ...options, ...travelling })));
    });
  storeCommand(program, ["push", "send a run's results to a shared store"])
    .argument("<place>", "a folder, or s3://bucket/prefix", (text) => remoteOf(text))
    .option("--run <id>", "default: the latest")
    .option("--verify", "read what is there already, and replace what is damaged")
    .action(async (remote: Remote, options: RunOptions) => {
      const sent = await underWay((travelling) => push(remote, { ...options, ...travelling }));
      say("sent", sent);
      if (sent.replaced > 0) console.log(`${sent.replaced} of them were there, damaged, and have been replaced`);
    });
  experimentCommand(program, ["pull", "fetch results from a shared store"])
    .argument("<place>", "a folder, or s3://bucket/prefix", (text) => remoteOf(text))
    .action(async (remote: Remote, options: Common) => {
      // What has commands of its own too: only what the shared store has is fetched.
      const wanted = await artifactsOf(options, [...PUBLISHED, ...ABLATION]);
      const pulled = await underWay((travelling) => pull(remote, wanted, { ...engineOptions(options), ...travelling }));
      say("fetched", pulled);
      sayMissing(pulled);
    });
}

function say(verb: string, { stages, unfinished, blobs, bytes }: Transfer): void {
  const part = unfinished === 0 ? "" : `, the finished items of ${unfinished} unfinished stages`;
  console.log(`${verb} ${stages} stages${part}, ${blobs} objects, ${byteText(bytes)}`);
}

/** Stages that are named where they could not be had; more are counted. */
const NAMED = 10;

function sayMissing({ absent, incomplete }: Pull): void {
  if (incomplete.length > 0) {
    console.log(`${incomplete.length} stages are incomplete there and were left out; the next run computes them:`);
    for (const { stage, reason } of incomplete.slice(0, NAMED)) console.log(`  ${stage}: ${reason}`);
    if (incomplete.length > NAMED) console.log(`  and ${incomplete.length - NAMED} more`);
    console.log("Who has them whole can mend that by pushing again, with --verify.");
  }
  if (absent > 0) {
    console.log(`${absent} stages are neither here nor there: nobody pushed them, or with other settings`);
  }
}

/** How often the line of progress is drawn, in ms. */
const REDRAW = 100;

/** Runs a transfer that Ctrl-C ends, with one line of progress on a terminal. */
async function underWay<T>(work: (options: Pick<TravelOptions, "signal" | "progress">) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const abort = () => stop.abort();
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, abort);
  const shown = Deno.stderr.isTerminal();
  let drawn = 0;
  const draw = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
  function progress({ objects, bytes, total }: Progress): void {
    if (!shown || performance.now() - drawn < REDRAW) return;
    drawn = performance.now();
    const of = (text: (from: { objects: number; bytes: number }) => string) =>
      total === null ? "" : ` of ${text(total)}`;
    const count = `${objects}${of((all) => String(all.objects))} objects`;
    draw(`${count}, ${byteText(bytes)}${of((all) => byteText(all.bytes))}`);
  }
  try {
    return await work({ signal: stop.signal, progress });
  } finally {
    if (shown && drawn > 0) draw("");
    for (const name of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(name, abort);
  }
}

/**
 * A shared store by its address. S3 takes its server and keys from the variables that other programs use:
 * AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
 */
export function remoteOf(text: string): Remote {
  const address = place(text);
  const get = (name: string) => Deno.env.get(name) || undefined;
  if (!address.startsWith("s3://")) {
    if (/^[a-z]\w+:\/\//.test(address)) throw new InvalidArgumentError("It must be a folder or s3://bucket/prefix.");
    return folderRemote(address);
  }
  const [bucket = "", ...rest] = address.slice("s3://".length).replace(/\/+$/, "").split("/");
  if (bucket === "") throw new InvalidArgumentError("It lacks the bucket: s3://bucket/prefix.");
  const [accessKeyId, secretAccessKey] = [get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new InvalidArgumentError("S3 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.");
  }
  const region = get("AWS_REGION") ?? "us-east-1";
  const sessionToken = get("AWS_SESSION_TOKEN");
  return s3Remote({
    endpoint: get("AWS_ENDPOINT_URL") ?? `https://s3.${region}.amazonaws.com`,
    bucket,
    region,
    accessKeyId,
    secretAccessKey,
    ...(rest.length === 0 ? {} : { prefix: rest.join("/") }),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  });
}
