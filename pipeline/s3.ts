/** A remote store on any S3-compatible server, with path-style addresses and AWS Signature Version 4. */
import { createHmac } from "node:crypto";
import { PipelineError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import type { Remote } from "./remote.ts";

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
}

/** A request in the form that is signed. */
export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** Tries a request again so often when the server is busy or the connection breaks. */
const ATTEMPTS = 4;

/** Opens an S3 remote. Nothing is asked before the first use. */
export function s3Remote(options: S3Options): Remote {
  const { endpoint, bucket, prefix } = options;
  const base = `${endpoint.replace(/\/$/, "")}/${bucket}/${prefix === undefined ? "" : `${prefix}/`}`;

  async function ask(
    method: string,
    { name, body }: { readonly name: string; readonly body?: Uint8Array<ArrayBuffer> },
  ) {
    const url = new URL(base + name);
    for (let attempt = 1;; attempt++) {
      const { headers } = sign({ method, url, options, body: body ?? new Uint8Array(), time: new Date() });
      const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) }).catch((error) =>
        error
      );
      if (response instanceof Response && response.status < 500 && response.status !== 429) return response;
      if (response instanceof Response) await response.body?.cancel();
      if (attempt === ATTEMPTS) {
        throw new PipelineError(
          `${method} ${url}: ${response instanceof Response ? `status ${response.status}` : response}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt * (0.5 + Math.random())));
    }
  }
  async function fail(response: Response): Promise<never> {
    const text = await response.text();
    const code = /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? "";
    throw new PipelineError(`${response.url}: status ${response.status} ${code}`.trim());
  }
  return {
    async has(name) {
      const response = await ask("HEAD", { name });
      await response.body?.cancel();
      if (response.ok) return true;
      return response.status === 404 ? false : await fail(response);
    },
    async get(name) {
      const response = await ask("GET", { name });
      if (response.ok) return new Uint8Array(await response.arrayBuffer());
      const text = response.status === 404 ? await response.text() : "";
      if (response.status === 404 && !text.includes("NoSuchBucket")) return null;
      if (text !== "") throw new PipelineError(`${response.url}: there is no bucket "${bucket}"`);
      return await fail(response);
    },
    async put(name, bytes) {
      const response = await ask("PUT", { name, body: new Uint8Array(bytes) });
      if (!response.ok) await fail(response);
      await response.body?.cancel();
    },
  };
}

interface SignOptions {
  readonly method: string;
  readonly url: URL;
  readonly options: Pick<S3Options, "region" | "accessKeyId" | "secretAccessKey" | "sessionToken">;
  readonly body: Uint8Array;
  readonly time: Date;
}

/**
 * Signs a request (AWS Signature Version 4, header form; source: AWS General Reference, "Signing AWS API requests").
 */
export function sign({ method, url, options, body, time }: SignOptions): SignedRequest {
  const { region = "us-east-1", accessKeyId, secretAccessKey, sessionToken } = options;
  const stamp = time.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const day = stamp.slice(0, 8);
  const hash = sha256(body);
  const headers: Record<string, string> = { "host": url.host, "x-amz-content-sha256": hash, "x-amz-date": stamp };
  if (sessionToken !== undefined) headers["x-amz-security-token"] = sessionToken;
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join("");
  const canonical = [method, url.pathname, url.search.slice(1), lines, names.join(";"), hash].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", stamp, scope, sha256(canonical)].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce(
    (secret, part) => hmac(secret, part),
    `AWS4${secretAccessKey}` as Key,
  );
  const signature = createHmac("sha256", key).update(text).digest("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${
    names.join(";")
  }, Signature=${signature}`;
  // `host` is signed, and set by fetch itself
  const { host: _, ...sent } = headers;
  return { method, url, headers: { ...sent, authorization } };
}

type Key = string | Uint8Array;

function hmac(key: Key, text: string): Key {
  return createHmac("sha256", key).update(text).digest();
}
