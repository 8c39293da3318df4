import assert from "node:assert/strict";
import {
  exportRun,
  folderRemote,
  fsck,
  importRun,
  pull,
  push,
  type Remote,
  reproduce,
  s3Remote,
  sourceFolder,
} from "../../pipeline/mod.ts";
import { sign } from "../../pipeline/s3.ts";
import { type Lab, openLab, textStages } from "./lab.ts";

async function openRun(lab: Lab) {
  lab.put({ "a.txt": "a", "b.txt": "b", "c.txt": "" });
  const { ran, upper, total } = textStages();
  const target = () => ({ total: total({ texts: upper({ texts: sourceFolder(lab.source) }) }) });
  await reproduce(target(), lab.options());
  ran.length = 0;
  return { ran, target, home: `${lab.root}/store`, away: `${lab.root}/away` };
}

Deno.test("an exported run is complete elsewhere: nothing runs, and one changed item runs once", async () => {
  using lab = openLab();
  const { ran, target, home, away } = await openRun(lab);
  const tar = `${lab.root}/run.tar`;
  assert.deepEqual(await exportRun(tar, { store: home }), { stages: 2, blobs: 3, bytes: 45 });
  const bytes = Deno.readFileSync(tar);
  await exportRun(tar, { store: home });
  assert.deepEqual(Deno.readFileSync(tar), bytes, "the same results give the same bytes");
  assert.deepEqual(await importRun(tar, { store: away }), { stages: 2, blobs: 3, bytes: 45 });
  const { summary, trees } = await reproduce(target(), lab.options({ store: away }));
  assert.deepEqual([ran, summary.executed, summary.cached, summary.skipped], [[], 0, 4, 1]);
  assert.deepEqual(await trees.total.json("total.json"), { texts: ["A", "B"], skipped: { c: "empty" } });
  lab.put({ "b.txt": "B" });
  await reproduce(target(), lab.options({ store: away }));
  assert.deepEqual(ran, ["upper b"]);
  assert.ok((await fsck(away)).clean);
  await assert.rejects(exportRun(tar, { store: home, run: "none" }), /has no run "none"/);
});

Deno.test("other programs can read the archive", async () => {
  using lab = openLab();
  const { home } = await openRun(lab);
  await exportRun(`${lab.root}/run.tar`, { store: home });
  const { success, stdout } = await new Deno.Command("tar", { args: ["tf", `${lab.root}/run.tar`] }).output();
  assert.ok(success);
  const names = new TextDecoder().decode(stdout).trim().split("\n");
  assert.deepEqual(names.map((name) => name.replace(/[0-9a-f]{64}/, "#")), [
    ...Array(3).fill("sha256/#"),
    ...Array(2).fill("nodes/#.json"),
  ]);
});

Deno.test("an archive with a flipped bit, or cut short, is refused and records nothing", async () => {
  using lab = openLab();
  const { ran, target, home, away } = await openRun(lab);
  const tar = `${lab.root}/run.tar`;
  await exportRun(tar, { store: home });
  const good = Deno.readFileSync(tar);
  const cases: [(bytes: Uint8Array) => Uint8Array, RegExp][] = [
    [
      (bytes) => bytes.map((byte, index) => index === 512 ? byte ^ 1 : byte),
      /blob [0-9a-f]+ is damaged; nothing was recorded/,
    ],
    [(bytes) => bytes.map((byte, index) => index === 0 ? byte ^ 1 : byte), /not a tar archive, or damaged/],
    [(bytes) => bytes.subarray(0, 2000), /ends too early/],
  ];
  for (const [damage, message] of cases) {
    Deno.writeFileSync(tar, damage(good));
    await assert.rejects(importRun(tar, { store: away }), message);
  }
  await reproduce(target(), lab.options({ store: away }));
  assert.equal(ran.length, 4);
});

Deno.test("an archive in which two items changed places is refused", async () => {
  using lab = openLab();
  const { target, home, away } = await openRun(lab);
  const tar = `${lab.root}/run.tar`;
  await exportRun(tar, { store: home });
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(tar));
  const rows = [...text.matchAll(/"item":"[ab]".*?"files":(\[\[.*?\]\])/g)].map(([, files = ""]) => files);
  const [a = "", b = ""] = rows;
  assert.ok(a.length === b.length && a !== b);
  const swapped = text.replaceAll(`"files":${a}`, "#").replaceAll(`"files":${b}`, `"files":${a}`)
    .replaceAll("#", `"files":${b}`);
  assert.notEqual(swapped, text);
  Deno.writeFileSync(tar, Uint8Array.from(swapped, (letter) => letter.charCodeAt(0)));
  await assert.rejects(importRun(tar, { store: away }), /the item records of [0-9a-f]+ are damaged/);
  assert.equal((await reproduce(target(), lab.options({ store: away }))).summary.executed, 4);
});

/** Push from one store, pull into another, then damage. */
async function checkRemote(remote: Remote & { damage(name: string): Promise<void> }): Promise<void> {
  using lab = openLab();
  const { ran, target, home, away } = await openRun(lab);
  assert.deepEqual(await push(remote, { store: home }), { stages: 2, blobs: 3, bytes: 45 });
  assert.deepEqual(await push(remote, { store: home }), { stages: 0, blobs: 0, bytes: 0 });
  const options = lab.options({ store: away });
  assert.deepEqual(await pull(remote, target(), options), { stages: 2, blobs: 3, bytes: 45 });
  assert.deepEqual(await pull(remote, target(), options), { stages: 0, blobs: 0, bytes: 0 });
  const { summary } = await reproduce(target(), options);
  assert.deepEqual([ran, summary.executed], [[], 0]);
  const other = lab.options({ store: `${lab.root}/other` });
  lab.code = "other code";
  assert.equal((await pull(remote, target(), other)).stages, 0);
  lab.code = "code 1";
  const { sha256 } = (await reproduce(target(), options)).trees.total.entry("total.json");
  await remote.damage(`sha256/${sha256.slice(0, 2)}/${sha256}`);
  await assert.rejects(pull(remote, target(), other), /remote store's blob [0-9a-f]+ is damaged/);
}

Deno.test("a folder as a remote store", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    await checkRemote({
      ...folderRemote(folder),
      damage: (name) => Deno.writeTextFile(`${folder}/${name}`, "damaged"),
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("S3 signatures match the examples in Amazon's documentation", () => {
  const options = {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  };
  const time = new Date("2013-05-24T00:00:00Z");
  const signatureOf = (query: string) => {
    const url = new URL(`https://examplebucket.s3.amazonaws.com/?${query}`);
    return sign({ method: "GET", url, options, body: new Uint8Array(), time }).headers.authorization?.split(
      "Signature=",
    )[1];
  };
  assert.equal(signatureOf("lifecycle="), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  assert.equal(signatureOf("max-keys=2&prefix=J"), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
});

/** A port that nobody listens on. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Starts a real S3-compatible server (s3rver, from npm, in memory of a temporary folder) with one bucket. */
async function startS3(folder: string): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const port = freePort();
  const args = [
    "run",
    "-q",
    "--no-lock",
    "--no-config",
    "--allow-all",
    "npm:s3rver@3.7.1",
    "-d",
    folder,
    "-p",
    `${port}`,
  ];
  args.push("-a", "127.0.0.1", "--configure-bucket", "shared");
  const child = new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "null" }).spawn();
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
    async stop() {
      child.kill();
      await child.status;
    },
  };
}

Deno.test("an S3-compatible server as a remote store; a wrong key and a wrong bucket are named", async () => {
  const folder = Deno.makeTempDirSync();
  const server = await startS3(folder);
  try {
    const base = { endpoint: server.endpoint, bucket: "shared", accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
    const remote = s3Remote({ ...base, prefix: "team/ftim" });
    await checkRemote({ ...remote, damage: (name) => remote.put(name, new TextEncoder().encode("damaged")) });
    const wrong = s3Remote({ ...base, accessKeyId: "stranger" });
    await assert.rejects(wrong.put("x", new Uint8Array(1)), /status 403 InvalidAccessKeyId/);
    await assert.rejects(s3Remote({ ...base, bucket: "none" }).get("x"), /there is no bucket "none"/);
  } finally {
    await server.stop();
    Deno.removeSync(folder, { recursive: true });
  }
});
