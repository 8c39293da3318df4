import assert from "node:assert/strict";
import { join } from "node:path";
import { AbortedError, pull, push, type Remote, s3Remote, sha256 } from "../../../pipeline/mod.ts";
import { collect } from "../../../pipeline/chunks.ts";
import { limitedHandler } from "../../../pipeline/s3_limits.ts";
import { openLab } from "../lab.ts";
import { failure, type FakeS3, startFakeS3 } from "../s3_fake.ts";
import { ALL, checkRemote, openRun, WELL } from "../travel_lab.ts";

const MIB = 1 << 20;
const SIGNAL = new AbortController().signal;

/** So many bytes, none like the next. */
function noise(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Math.imul(index, 2654435761) >>> 24);
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += MIB) yield bytes.subarray(at, at + MIB);
}

async function send(remote: Remote, name: string, bytes: Uint8Array): Promise<void> {
  await remote.put(name, { size: bytes.length, read: () => inPieces(bytes), signal: SIGNAL });
}

async function fetchWhole(remote: Remote, name: string, signal = SIGNAL): Promise<Uint8Array | null> {
  return await remote.get(name, { take: (chunks) => collect(chunks, { limit: 100 * MIB, what: name }), signal });
}

/** A port that nobody listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

interface Server extends AsyncDisposable {
  readonly endpoint: string;
}

/** Starts a program that serves on a port, and waits until it answers. */
async function startServer(command: Deno.Command, port: number): Promise<Server> {
  const child = command.spawn();
  const endpoint = `http://127.0.0.1:${port}`;
  let ended = false;
  child.status.then(() => ended = true);
  for (;;) {
    const answer = await fetch(endpoint).catch(() => null);
    await answer?.body?.cancel();
    if (answer !== null) break;
    assert.ok(!ended, "the S3 server does not start");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.status;
    },
  };
}

/** What a real server must stand: a shared store, an object in parts, nothing, and no bucket. */
async function checkServer(remote: Remote, none: Remote): Promise<void> {
  await checkRemote(remote);
  const large = noise(17 * MIB);
  await send(remote, "large", large);
  assert.equal(await remote.size("large", { signal: SIGNAL }), large.length);
  assert.equal(sha256(await fetchWhole(remote, "large") ?? ""), sha256(large));
  assert.equal(await fetchWhole(remote, "absent"), null);
  assert.equal(await remote.size("absent", { signal: SIGNAL }), null);
  await assert.rejects(fetchWhole(none, "x"), /there is no bucket "none-of-this-name"/);
  await assert.rejects(send(none, "x", new Uint8Array(1)), /there is no bucket "none-of-this-name"/);
}

const KEYS = { bucket: "shared", accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
const NONE = { ...KEYS, bucket: "none-of-this-name" };

Deno.test("a real server: s3rver", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const port = freePort();
    const args = ["run", "-q", "--no-lock", "--no-config", "--allow-all", "npm:s3rver@3.7.1", "-d", folder];
    args.push("-p", `${port}`, "-a", "127.0.0.1", "--configure-bucket", "shared");
    await using server = await startServer(
      new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "null" }),
      port,
    );
    const { endpoint } = server;
    await checkServer(s3Remote({ ...KEYS, endpoint, prefix: "team/ü + b" }), s3Remote({ ...NONE, endpoint }));
    const stranger = s3Remote({ ...KEYS, endpoint, accessKeyId: "stranger" });
    await assert.rejects(send(stranger, "x", new Uint8Array(1)), /status 403 InvalidAccessKeyId/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

/** Why moto, a server in Python, cannot be started; null if it can. */
function motoFault(): string | null {
  try {
    const args = ["-c", "import moto.server"];
    const { success } = new Deno.Command("python3", { args, stdout: "null", stderr: "null" }).outputSync();
    return success ? null : 'python3 has no moto.server: pip install "moto[server]"';
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no python3";
    throw error;
  }
}

const withoutMoto = motoFault();

/** Makes a bucket, and a user of it; from then on moto checks signatures. Returns the user's keys. */
async function openAccount(endpoint: string) {
  async function ask(path: string, init: RequestInit): Promise<string> {
    const answer = await fetch(`${endpoint}/${path}`, init);
    const text = await answer.text();
    assert.ok(answer.ok, text);
    return text;
  }
  async function iam(action: Readonly<Record<string, string>>): Promise<string> {
    const scope = "x/20260101/us-east-1/iam/aws4_request";
    const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=x`;
    const body = new URLSearchParams({ ...action, UserName: "user", Version: "2010-05-08" });
    return await ask("", { method: "POST", headers: { authorization }, body });
  }
  const Statement = [{ Effect: "Allow", Action: ["s3:*"], Resource: "*" }];
  await ask("shared", { method: "PUT" });
  await iam({ Action: "CreateUser" });
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam({ Action: "PutUserPolicy", PolicyName: "all", PolicyDocument });
  const text = await iam({ Action: "CreateAccessKey" });
  const field = (name: string) => new RegExp(`<${name}>(.*?)<`).exec(text)?.[1] ?? "";
  return { accessKeyId: field("AccessKeyId"), secretAccessKey: field("SecretAccessKey") };
}

Deno.test({
  name: `a real server: moto, which checks signatures${withoutMoto ? ` (ignored, because ${withoutMoto})` : ""}`,
  ignore: withoutMoto !== null,
  async fn() {
    const port = freePort();
    const args = ["-m", "moto.server", "-H", "127.0.0.1", "-p", `${port}`];
    // as many as startServer and openAccount have
    const env = { INITIAL_NO_AUTH_ACTION_COUNT: "5" };
    await using server = await startServer(
      new Deno.Command("python3", { args, env, stdout: "null", stderr: "null" }),
      port,
    );
    const { endpoint } = server;
    const keys = { ...await openAccount(endpoint), endpoint };
    await checkServer(s3Remote({ ...KEYS, ...keys, prefix: "team/ftim" }), s3Remote({ ...NONE, ...keys }));
    const stranger = s3Remote({ ...KEYS, ...keys, accessKeyId: "stranger" });
    await assert.rejects(send(stranger, "x", new Uint8Array(1)), /status 403 InvalidAccessKeyId/);
    const liar = s3Remote({ ...KEYS, ...keys, secretAccessKey: "wrong" });
    await assert.rejects(fetchWhole(liar, "x"), /status 403 SignatureDoesNotMatch/);
  },
});

/** A remote at a fake server, with what it has warned of. */
function openFake({ endpoint }: FakeS3, { patience = 20_000 } = {}) {
  const warnings: string[] = [];
  const remote = s3Remote({ ...KEYS, endpoint, patience, warn: (message) => warnings.push(message) });
  return { remote, warnings };
}

/** Runs work, which must come to an end within so many ms. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const began = performance.now();
  try {
    return await work;
  } finally {
    const took = performance.now() - began;
    assert.ok(took < milliseconds, `took ${Math.round(took)} ms, more than ${milliseconds}`);
  }
}

/** Four tries and the pauses in between, on a machine that is busy, in ms; far less than the patience of a remote. */
const FOUR_TRIES = 15_000;

Deno.test("S3: access denied where an object is absent keeps nobody from pushing, and is said once", async () => {
  using lab = openLab();
  const { home, target } = await openRun(lab);
  await using server = startFakeS3();
  const deny = async (request: Request, right: () => Promise<Response>) => {
    const answer = await right();
    return answer.status === 404 ? failure(request, 403, "AccessDenied") : answer;
  };
  server.fault = deny;
  const { remote, warnings } = openFake(server);
  assert.deepEqual(await push(remote, { store: home }), { ...ALL, replaced: 0 });
  assert.match(warnings.join("\n"), /^s3:\/\/shared: access is denied \(403\), which is taken as absent/);
  assert.equal(warnings.length, 1);
  assert.deepEqual(await pull(remote, target(), lab.options({ store: join(lab.root, "away") })), { ...ALL, ...WELL });
  server.fault = (request) => Promise.resolve(failure(request, 403, "AccessDenied"));
  await assert.rejects(push(remote, { store: home }), /status 403/);
  const third = lab.options({ store: join(lab.root, "third") });
  await assert.rejects(pull(remote, target(), third), /no store of ours in s3:\/\/shared/);
});

Deno.test("S3: a busy server is asked again, and not before it wants to be", async () => {
  await using server = startFakeS3();
  const { remote } = openFake(server);
  let busy = 1;
  const slowDown = (request: Request) => {
    if (busy-- <= 0) return null;
    const answer = failure(request, 503, "SlowDown");
    answer.headers.set("retry-after", "1");
    return Promise.resolve(answer);
  };
  server.fault = slowDown;
  const began = performance.now();
  await send(remote, "x", noise(10));
  assert.ok(performance.now() - began > 900);
  server.fault = (request) => Promise.resolve(failure(request, 500, "InternalError"));
  await within(FOUR_TRIES, assert.rejects(send(remote, "x", noise(10)), /status 500 InternalError/));
});

Deno.test("S3: a pause that a server asks for is kept where the client by itself would not", async () => {
  const answer = (after: string) =>
    limitedHandler({
      handle: () => Promise.resolve({ response: { statusCode: 503, headers: { "retry-after": after } } }),
    } as never, 500);
  const pause = async (after: string, attempt = "attempt=1; max=4") => {
    const began = performance.now();
    await answer(after).handle({ headers: { "amz-sdk-request": attempt } } as never);
    return performance.now() - began;
  };
  assert.ok(await pause("1") > 950);
  assert.ok(await pause(new Date(Date.now() + 2500).toUTCString()) > 950);
  assert.ok(await pause("9", "attempt=4; max=4") < 2000);
  assert.ok(await pause("soon") < 2000);
});

/** Half of an object, then the end of the connection. */
function cutBody(bytes: Uint8Array): Promise<Response> {
  const half = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.slice(0, bytes.length / 2));
      controller.close();
    },
  });
  return Promise.resolve(new Response(half, { headers: { "content-length": `${bytes.length}` } }));
}

Deno.test("S3: a body that is cut half-way is fetched again", async () => {
  await using server = startFakeS3();
  const { remote } = openFake(server);
  const bytes = noise(MIB);
  await send(remote, "x", bytes);
  let cuts = 2;
  server.fault = ({ method }) => method === "GET" && cuts-- > 0 ? cutBody(bytes) : null;
  assert.deepEqual(await fetchWhole(remote, "x"), bytes);
  assert.equal(server.requests.filter((request) => request === "GET /shared/x").length, 3);
  server.fault = ({ method }) => method === "GET" ? cutBody(bytes) : null;
  await within(
    FOUR_TRIES,
    assert.rejects(fetchWhole(remote, "x"), { name: "PipelineError", message: /s3:\/\/shared\/x/ }),
  );
});

Deno.test("S3: a server that never answers, or lets bytes drip, is given up; Ctrl-C does not wait for it", async () => {
  await using server = startFakeS3();
  const { remote } = openFake(server, { patience: 250 });
  const { promise: released, resolve: release } = Promise.withResolvers<Response>();
  server.fault = () => released;
  await within(FOUR_TRIES, assert.rejects(send(remote, "x", noise(10)), /does not answer, or too slowly, in 4 tries/));
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 50);
  const { remote: patient } = openFake(server);
  await within(FOUR_TRIES, assert.rejects(fetchWhole(patient, "x", stop.signal), AbortedError));
  clearTimeout(timer);
  release(new Response());
  server.fault = ({ method }) => method === "GET" ? Promise.resolve(dripping()) : null;
  await within(FOUR_TRIES, assert.rejects(fetchWhole(remote, "x"), /does not answer, or too slowly/));
});

/** A byte each tenth of a second, for ever. */
function dripping(): Response {
  let timer: ReturnType<typeof setInterval>;
  const body = new ReadableStream({
    start(controller) {
      timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 100);
    },
    cancel() {
      clearInterval(timer);
    },
  });
  return new Response(body);
}

Deno.test("S3: wrong bytes and wrong sizes cost the stage that needs them, and are replaced", async () => {
  using lab = openLab();
  const { home, target, total } = await openRun(lab);
  await using server = startFakeS3();
  const { remote } = openFake(server);
  await push(remote, { store: home });
  const right = server.objects.get(`shared/${total}`) ?? new Uint8Array();
  const wrong = [right.slice(1), new Uint8Array([...right, 0]), right.map((byte) => byte ^ 1), new Uint8Array()];
  for (const [index, bytes] of wrong.entries()) {
    server.objects.set(`shared/${total}`, bytes);
    const pulled = await pull(remote, target(), lab.options({ store: join(lab.root, `away${index}`) }));
    assert.deepEqual([pulled.stages, pulled.incomplete.map(({ stage }) => stage)], [1, ["total"]]);
    assert.equal((await push(remote, { store: home, verify: true })).replaced, 1);
  }
  assert.deepEqual(server.objects.get(`shared/${total}`), right);
});

Deno.test("S3: a large object goes up in parts; a failed one is sent again; an interruption leaves none", async () => {
  await using server = startFakeS3();
  const { remote } = openFake(server);
  const large = noise(17 * MIB);
  let failures = 2;
  server.fault = (request) => {
    const part = new URL(request.url).searchParams.get("partNumber");
    return part === "2" && failures-- > 0 ? Promise.resolve(failure(request, 503, "SlowDown")) : null;
  };
  await send(remote, "large", large);
  assert.equal(sha256(server.objects.get("shared/large") ?? ""), sha256(large));
  assert.equal(server.requests.filter((request) => request === "PUT /shared/large").length, 5);
  const stop = new AbortController();
  server.fault = (request, right) => {
    if (new URL(request.url).searchParams.get("partNumber") === "3") stop.abort();
    return right();
  };
  const object = { size: large.length, read: () => inPieces(large), signal: stop.signal };
  await within(FOUR_TRIES, assert.rejects(remote.put("other", object), AbortedError));
  assert.deepEqual([server.objects.has("shared/other"), server.parts.size], [false, 0]);
});
