/**
 * A remote store on any S3-compatible server, with path-style addresses. Signing, retries and multipart uploads are
 * the AWS SDK's, which is loaded at the first use; its requests have time limits (s3_limits.ts).
 */
import type { S3Client } from "@aws-sdk/client-s3";
import { collect } from "./chunks.ts";
import { AbortedError, PipelineError } from "./errors.ts";
import { NO_OBJECT, type Outgoing, type Remote } from "./remote.ts";
import { limitedHandler, wait } from "./s3_limits.ts";

/** Where and as whom. */
export interface S3Options {
  /** "https://s3.example.org". */
  readonly endpoint: string;
  readonly bucket: string;
  /** Put before every object's name, without a slash at the end. Default: none. */
  readonly prefix?: string;
  /** Default "us-east-1". */
  readonly region?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** How long the server may keep silent, in ms. Default 30,000. */
  readonly patience?: number;
  /** Told once of what is odd with the server. Default: standard error. */
  readonly warn?: (message: string) => void;
}

/** Tries so often when the server is busy or keeps silent, or the connection breaks. */
const TRIES = 4;
/** Larger objects go up in parts of so many bytes, of which two are in memory at a time. */
const PART = 8 << 20;
/** No upload may have more parts. */
const PARTS = 10_000;

/** Opens an S3 remote. Nothing is asked before the first use. */
export function s3Remote(options: S3Options): Remote {
  const { bucket, prefix, patience = 30_000, warn = console.error } = options;
  const place = `s3://${bucket}${prefix === undefined ? "" : `/${prefix}`}`;
  const nameOf = (name: string) => ({ Bucket: bucket, Key: prefix === undefined ? name : `${prefix}/${name}` });
  let opened: ReturnType<typeof openClient> | undefined;
  const open = () => opened ??= openClient(options, patience);
  let said = false;

  /** The server denies access where an object is absent, to those who may not list the bucket. */
  function ifAbsent(error: unknown): null {
    const { status, code } = factsOf(error);
    if (status === 404 && code !== "NoSuchBucket") return null;
    // unknown: the answer to HEAD has no body that would say more
    if (status !== 403 || !["AccessDenied", "Unknown"].includes(code)) throw error;
    if (!said) warn(`${place}: access is denied (403), which is taken as absent: s3:ListBucket would tell them apart`);
    said = true;
    return null;
  }
  return {
    place,
    size: (name, { signal }) =>
      explaining(`${place}/${name}`, { signal, bucket }, async () => {
        const { client, sdk } = await open();
        const command = new sdk.HeadObjectCommand(nameOf(name));
        const found = await client.send(command, { abortSignal: signal }).catch(ifAbsent);
        return found === null ? null : found.ContentLength ?? NO_OBJECT;
      }),
    get: (name, { take, signal }) =>
      explaining(`${place}/${name}`, { signal, bucket }, async () => {
        const { client, sdk } = await open();
        for (let attempt = 1;; attempt++) {
          const command = new sdk.GetObjectCommand(nameOf(name));
          const found = await client.send(command, { abortSignal: signal }).catch(ifAbsent);
          if (found === null) return null;
          const body = watched(found.Body?.transformToWebStream() ?? new ReadableStream());
          try {
            return await take(body.chunks);
          } catch (error) {
            // anything else is the taker's
            if (body.broken() !== error || attempt === TRIES || signal.aborted) throw error;
            await wait(100 * 2 ** attempt * (0.5 + Math.random()), signal);
          }
        }
      }),
    put: (name, object) =>
      explaining(
        `${place}/${name}`,
        { signal: object.signal, bucket },
        async () => await upload(await open(), { ...nameOf(name), object }),
      ),
  };
}

type Opened = Awaited<ReturnType<typeof openClient>>;

async function openClient(options: S3Options, patience: number) {
  const { endpoint, region = "us-east-1", accessKeyId, secretAccessKey, sessionToken } = options;
  const [sdk, { Upload }, { FetchHttpHandler }] = await Promise.all([
    import("@aws-sdk/client-s3"),
    import("@aws-sdk/lib-storage"),
    import("@smithy/fetch-http-handler"),
  ]);
  const client = new sdk.S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    maxAttempts: TRIES,
    retryMode: "standard",
    requestHandler: limitedHandler(new FetchHttpHandler(), patience),
    // not every server knows the newer checksums; ours are of SHA-256
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // the default one asks the system for its name, for which one would have to permit it
    defaultUserAgentProvider: () => Promise.resolve([["ftim", "1"]]),
  });
  return { client, sdk, Upload };
}

interface UploadOptions {
  readonly Bucket: string;
  readonly Key: string;
  readonly object: Outgoing;
}

async function upload({ client, sdk, Upload }: Opened, { object, ...name }: UploadOptions): Promise<void> {
  const { size, read, signal } = object;
  if (size <= PART) {
    const body = await collect(read(), { limit: size, what: name.Key });
    await client.send(new sdk.PutObjectCommand({ ...name, Body: body }), { abortSignal: signal });
    return;
  }
  const abortable: S3Client = Object.create(client, {
    send: {
      // what takes the parts back is sent even after an interruption
      value: (command: Parameters<S3Client["send"]>[0]) =>
        command instanceof sdk.AbortMultipartUploadCommand
          ? client.send(command)
          : client.send(command, { abortSignal: signal }),
    },
  });
  const partSize = Math.max(PART, Math.ceil(size / PARTS));
  const params = { ...name, Body: ReadableStream.from(read()) };
  await new Upload({ client: abortable, params, partSize, queueSize: 2 }).done();
}

/** A body, and whether it was the connection that broke. */
function watched(body: ReadableStream<Uint8Array>) {
  let failure: unknown;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    const reader = body.getReader();
    let whole = false;
    try {
      for (;;) {
        const { done, value } = await reader.read().catch((error) => {
          throw failure = error;
        });
        whole = done;
        if (done) return;
        yield value;
      }
    } finally {
      if (!whole) await reader.cancel().catch(() => null);
    }
  }
  return { chunks: chunks(), broken: () => failure };
}

interface Facts {
  readonly status: number | undefined;
  readonly code: string;
  readonly tries: number;
}

/** What the client has noted in an error. */
function factsOf(error: unknown): Facts {
  if (!(error instanceof Error)) return { status: undefined, code: "", tries: 1 };
  const noted = "$metadata" in error ? error.$metadata as { httpStatusCode?: number; attempts?: number } : {};
  return { status: noted.httpStatusCode, code: error.name, tries: noted.attempts ?? 1 };
}

interface Explaining {
  readonly signal: AbortSignal;
  readonly bucket: string;
}

/** Turns the client's errors into ours. */
async function explaining<T>(what: string, { signal, bucket }: Explaining, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw new AbortedError("interrupted", { cause: error });
    if (!(error instanceof Error) || error instanceof PipelineError) throw error;
    const { status, code, tries } = factsOf(error);
    if (code === "NoSuchBucket") throw new PipelineError(`${what}: there is no bucket "${bucket}"`, { cause: error });
    const reason = status === undefined || status < 300 ? error.message : `status ${status} ${code}`;
    throw new PipelineError(`${what}: ${reason}${tries > 1 ? `, in ${tries} tries` : ""}`, { cause: error });
  }
}
