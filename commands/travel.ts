/** `export`, `import`, `push`, `pull`, `provenance`: results on other machines, and where they came from. */
import { type Command, InvalidArgumentError } from "commander";
import {
  exportRun,
  folderRemote,
  importRun,
  provenanceText,
  pull,
  push,
  type Remote,
  s3Remote,
  type Transfer,
} from "@ftim/pipeline";
import {
  ABLATION,
  artifactsOf,
  byteText,
  type Common,
  engineOptions,
  experimentCommand,
  LPIPS,
  PUBLISHED,
  storeCommand,
  type StoreOptions,
} from "./common.ts";

type RunOptions = StoreOptions & { readonly run?: string };

/** Adds the commands. */
export function travel(program: Command): void {
  storeCommand(program, ["provenance", "how a published file was made"]).argument("<file>")
    .action(async (file: string, options: StoreOptions) => console.log(await provenanceText(file, options)));
  storeCommand(program, ["export", "write a run's results to a tar file for another machine"]).argument("<tar>")
    .option("--run <id>", "default: the latest")
    .action(async (file: string, options: RunOptions) => say("exported", await exportRun(file, options)));
  storeCommand(program, ["import", "take results from a tar file"]).argument("<tar>")
    .action(async (file: string, options: StoreOptions) => say("imported", await importRun(file, options)));
  storeCommand(program, ["push", "send a run's results to a shared store"])
    .argument("<place>", "a folder, or s3://bucket/prefix", (place) => remoteOf(place))
    .option("--run <id>", "default: the latest")
    .action(async (remote: Remote, options: RunOptions) => say("sent", await push(remote, options)));
  experimentCommand(program, ["pull", "fetch results from a shared store"])
    .argument("<place>", "a folder, or s3://bucket/prefix", (place) => remoteOf(place))
    .action(async (remote: Remote, options: Common) => {
      // What has commands of its own too: only what the shared store has is fetched.
      const wanted = await artifactsOf(options, [...PUBLISHED, ...ABLATION, ...LPIPS]);
      say("fetched", await pull(remote, wanted, engineOptions(options)));
    });
}

function say(verb: string, { stages, blobs, bytes }: Transfer): void {
  console.log(`${verb} ${stages} stages, ${blobs} objects, ${byteText(bytes)}`);
}

/**
 * A shared store by its address. S3 takes its server and keys from the variables that other programs use:
 * AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
 */
export function remoteOf(place: string): Remote {
  const get = (name: string) => Deno.env.get(name) || undefined;
  if (!place.startsWith("s3://")) {
    if (/^[a-z]\w+:\/\//.test(place)) throw new InvalidArgumentError("It must be a folder or s3://bucket/prefix.");
    return folderRemote(place);
  }
  const [bucket = "", ...rest] = place.slice("s3://".length).replace(/\/+$/, "").split("/");
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
