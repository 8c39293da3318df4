/** An S3 server in memory that does as it is told: right, or wrong in any way. It does not look at signatures. */

/** What the server does in place of the right answer; null: the right answer. */
export type Fault = (request: Request, right: () => Promise<Response>) => Promise<Response> | null;

/** A running server. */
export interface FakeS3 extends AsyncDisposable {
  readonly endpoint: string;
  /** By bucket and key. */
  readonly objects: Map<string, Uint8Array<ArrayBuffer>>;
  /** "PUT /shared/x", in the order in which they came. */
  readonly requests: string[];
  /** Parts that were neither put together nor taken back. */
  readonly parts: Map<string, Uint8Array<ArrayBuffer>>;
  fault: Fault;
}

/** Starts a server. */
export function startFakeS3(): FakeS3 {
  const objects: FakeS3["objects"] = new Map();
  const parts: FakeS3["parts"] = new Map();
  const requests: string[] = [];
  let uploads = 0;

  async function right(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const name = decodeURIComponent(pathname).slice(1);
    const upload = searchParams.get("uploadId");
    const body = new Uint8Array(await request.arrayBuffer());
    if (searchParams.has("uploads")) {
      return xml(`<InitiateMultipartUploadResult><UploadId>${++uploads}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (request.method === "PUT") {
      if (upload === null) objects.set(name, body);
      else parts.set(`${upload} ${searchParams.get("partNumber")?.padStart(5, "0")}`, body);
      return new Response(null, { headers: { etag: '"x"' } });
    }
    if (upload !== null) {
      const own = [...parts.keys()].filter((part) => part.startsWith(`${upload} `)).sort();
      const bytes = own.map((part) => parts.get(part) ?? new Uint8Array());
      for (const part of own) parts.delete(part);
      if (request.method === "DELETE") return new Response(null, { status: 204 });
      objects.set(name, new Uint8Array(await new Blob(bytes).arrayBuffer()));
      return xml("<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>");
    }
    const found = objects.get(name);
    if (found === undefined) return failure(request, 404, "NoSuchKey");
    return new Response(request.method === "HEAD" ? null : found, { headers: { "content-length": `${found.length}` } });
  }
  // a client that hangs up is no error here
  const onError = () => new Response(null, { status: 500 });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {}, onError }, (request) => {
    requests.push(`${request.method} ${new URL(request.url).pathname}`);
    return fake.fault(request, () => right(request)) ?? right(request);
  });
  const fake: FakeS3 = {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    objects,
    requests,
    parts,
    fault: () => null,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
  return fake;
}

function xml(text: string): Response {
  return new Response(`<?xml version="1.0"?>${text}`, { headers: { "content-type": "application/xml" } });
}

/** An error as S3 says it. */
export function failure(
  { method }: Request,
  status: number,
  code: string,
): Response {
  return new Response(method === "HEAD" ? null : `<Error><Code>${code}</Code></Error>`, { status });
}
