/**
 * Time limits for the requests of the S3 client: a server may neither keep silent for long, nor let bytes drip so
 * slowly that nobody would wait for them; and where it asks for time, it gets it.
 */
import type { FetchHttpHandler } from "@smithy/fetch-http-handler";

/** A transfer may not be slower than this (bytes per second), once the server's first silence is over. */
const SLOWEST = 64 << 10;
/** The longest pause that a server is granted by its Retry-After, in s; the client by itself grants five. */
const LONGEST_PAUSE = 60;

type Handle = FetchHttpHandler["handle"];
type Request = Parameters<Handle>[0];
type Response = Awaited<ReturnType<Handle>>["response"];

/** A fetching handler with time limits; `patience` is how long the server may keep silent, in ms. */
export function limitedHandler(handler: FetchHttpHandler, patience: number): Pick<FetchHttpHandler, "handle"> {
  async function handle(request: Request, options: Parameters<Handle>[1] = {}): ReturnType<Handle> {
    const stop = new AbortController();
    const outer = options.abortSignal instanceof AbortSignal ? options.abortSignal : stop.signal;
    const abortSignal = AbortSignal.any([outer, stop.signal]);
    const timeLimit = (bytes: number) => patience + bytes / SLOWEST * 1000;
    const clear = startTimer(stop, timeLimit(request.body instanceof Uint8Array ? request.body.length : 0));
    let response: Response;
    try {
      ({ response } = await handler.handle(request, { ...options, abortSignal }));
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      clear();
    }
    if (response.body instanceof ReadableStream) {
      response.body = ReadableStream.from(limited(response.body, { stop, patience, timeLimit }));
    }
    if (!isLastTry(request)) await wait(pauseOf(response), outer);
    return { response };
  }
  return { handle };
}

interface LimitedOptions {
  readonly stop: AbortController;
  readonly patience: number;
  /** How long so many bytes may take, in ms. */
  readonly timeLimit: (bytes: number) => number;
}

/** A body's bytes, as long as they come fast enough. */
async function* limited(
  body: ReadableStream<Uint8Array>,
  { stop, patience, timeLimit }: LimitedOptions,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  let [bytes, waited, whole] = [0, 0, false];
  try {
    for (;;) {
      const began = performance.now();
      // what the reader does in between is not the server's fault
      const clear = startTimer(stop, Math.min(patience, timeLimit(bytes) - waited));
      const { done, value } = await reader.read().finally(clear);
      waited += performance.now() - began;
      whole = done;
      if (done) return;
      bytes += value.length;
      yield value;
    }
  } finally {
    if (!whole) await reader.cancel().catch(() => null);
  }
}

function startTimer(stop: AbortController, milliseconds: number): () => void {
  // by this name the client knows that another try may help
  const error = new Error("the server does not answer, or too slowly");
  error.name = "TimeoutError";
  const timer = setTimeout(() => stop.abort(error), Math.max(0, milliseconds));
  return () => clearTimeout(timer);
}

/** What a busy server asks for, in ms. */
function pauseOf({ statusCode, headers }: Response): number {
  const asked = statusCode === 429 || statusCode === 503 ? headers["retry-after"] : undefined;
  if (asked === undefined) return 0;
  const seconds = /^\d+$/.test(asked) ? Number(asked) : (Date.parse(asked) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? 0 : 1000 * Math.min(LONGEST_PAUSE, Math.max(0, seconds));
}

function isLastTry({ headers }: Request): boolean {
  const [, tried, most] = /attempt=(\d+); max=(\d+)/.exec(headers["amz-sdk-request"] ?? "") ?? [];
  return tried === most;
}

/** Waits, or rejects with the signal's reason. */
export function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", end);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", end, { once: true });
  });
}
