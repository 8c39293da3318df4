import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import {
  AssetError,
  type Extract,
  obtain,
  type ObtainOptions,
  type WantedFile,
} from "../../../../stages/data/parts/obtain.ts";
import { asset, assetIds } from "../../../assets.ts";

const encoder = new TextEncoder();
const contents: Record<string, string> = { "a.bin": "alpha", "deep/b.bin": "beta", "c.bin": "gamma" };

function wanted(path: string, change: Partial<WantedFile> = {}): WantedFile {
  const bytes = encoder.encode(contents[path] ?? "");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { id: `models/${path}`, source: `npm:pack@1.0.0/${path}`, sha256, size: bytes.length, ...change };
}

/** A package that holds `contents`, and how often it was unpacked. */
function pack(): { extract: Extract; count: () => number } {
  let times = 0;
  async function extract(_spec: string, folder: string): Promise<void> {
    times++;
    for (const [path, text] of Object.entries(contents)) {
      await Deno.mkdir(join(folder, dirname(path)), { recursive: true });
      await Deno.writeTextFile(join(folder, path), text);
    }
  }
  return { extract, count: () => times };
}

function failing(code: string, message = "reason"): Extract {
  return () => Promise.reject(Object.assign(new Error(message), { code }));
}

async function withCache(use: (cache: string) => Promise<void>): Promise<void> {
  const cache = await Deno.makeTempDir({ prefix: "ftim-" });
  try {
    await use(cache);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

async function texts(files: readonly WantedFile[], options: ObtainOptions): Promise<string[]> {
  const result: string[] = [];
  for await (const { id, bytes } of obtain(files, options)) result.push(`${id}=${new TextDecoder().decode(bytes)}`);
  return result;
}

async function refuses(files: readonly WantedFile[], options: ObtainOptions, message: RegExp): Promise<void> {
  await assert.rejects(texts(files, options), (error) => {
    assert(error instanceof AssetError);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("obtain yields the wanted files in order and keeps them, and their neighbours, for the next time", () =>
  withCache(async (cache) => {
    const { extract, count } = pack();
    const [a, b, c] = [wanted("a.bin"), wanted("deep/b.bin"), wanted("c.bin")];
    const options = { cache, extract, neighbours: [a, b, c] };
    assert.deepEqual(await texts([b, a], options), ["models/deep/b.bin=beta", "models/a.bin=alpha"]);
    assert.deepEqual(await texts([c], options), ["models/c.bin=gamma"]);
    assert.equal(count(), 1);
    assert.deepEqual([...Deno.readDirSync(join(cache, "tmp"))], []);
  }));

Deno.test("obtain unpacks a package once for callers side by side, and a failure of one does not stop the next", () =>
  withCache(async (cache) => {
    const { extract, count } = pack();
    const [a, b] = [wanted("a.bin"), wanted("deep/b.bin")];
    const options = { cache, extract, neighbours: [a, b] };
    const results = await Promise.allSettled([
      texts([a], { ...options, extract: failing("ENOTFOUND") }),
      texts([a], options),
      texts([b], options),
    ]);
    assert.deepEqual(results.map(({ status }) => status), ["rejected", "fulfilled", "fulfilled"]);
    assert.equal(count(), 1);
  }));

Deno.test("obtain notices a damaged copy in the cache and gets the file again", () =>
  withCache(async (cache) => {
    const { extract, count } = pack();
    const file = wanted("a.bin");
    await texts([file], { cache, extract });
    await Deno.writeTextFile(join(cache, "assets", file.sha256!.slice(0, 2), file.sha256!), "alpHa");
    assert.deepEqual(await texts([file], { cache, extract }), ["models/a.bin=alpha"]);
    assert.equal(count(), 2);
  }));

Deno.test("obtain refuses a wrong hash with both values, and keeps nothing", () =>
  withCache(async (cache) => {
    const { extract } = pack();
    const file = wanted("a.bin", { sha256: "0".repeat(64) });
    const actual = wanted("a.bin").sha256;
    await refuses([file], { cache, extract }, new RegExp(`models/a\\.bin: expected sha256 0{64}, got ${actual}`));
    assert.throws(() => Deno.statSync(join(cache, "assets")), Deno.errors.NotFound);
  }));

Deno.test("obtain refuses a wrong size with both values", () =>
  withCache((cache) =>
    refuses([wanted("a.bin", { size: 6 })], { cache, ...pack() }, /models\/a\.bin: expected 6 bytes, got 5/)
  ));

Deno.test("obtain names a file that the package lacks", () =>
  withCache((cache) =>
    refuses([wanted("d.bin")], { cache, ...pack() }, /models\/d\.bin: npm package pack@1\.0\.0 has no file d\.bin/)
  ));

for (const code of ["ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN"]) {
  Deno.test(`obtain says that there is no connection (${code}) and what helps`, () =>
    withCache((cache) =>
      refuses(
        [wanted("a.bin")],
        { cache, extract: failing(code) },
        /no connection \(\w+\)\. Connect and run again, or copy \.ftim\/cache/,
      )
    ));
}

Deno.test("obtain refuses a tarball without the integrity of data.lock", () =>
  withCache((cache) =>
    refuses(
      [wanted("a.bin")],
      { cache, extract: failing("EINTEGRITY") },
      /does not have the integrity that data\.lock names/,
    )
  ));

Deno.test("obtain tells a missing permission from a missing connection", () =>
  withCache((cache) =>
    refuses(
      [wanted("a.bin")],
      { cache, extract: failing("EPERM", "getaddrinfo EPERM host") },
      /Deno is not allowed to .*project's tasks/,
    )
  ));

Deno.test("obtain hands the collection's integrity to the client", () =>
  withCache(async (cache) => {
    const { extract } = pack();
    let given: string | undefined;
    const file = { ...wanted("a.bin"), shared: { integrity: "sha512-x" } };
    await texts([file], { cache, extract: (s, f, o) => (given = o.integrity, extract(s, f, o)) });
    assert.equal(given, "sha512-x");
  }));

Deno.test("obtain explains an absent gated file: what, who grants it, where to put it, what works without", () =>
  withCache(async (cache) => {
    const file: WantedFile = {
      id: "paper/deca/net.onnx",
      source: "user:deca/net.onnx",
      sha256: null,
      size: null,
      shared: {
        title: "DECA",
        grantor: "Its authors",
        how: "Put it into <data folder>/deca/.",
        licence: "L",
        without: "The rest.",
      },
    };
    await refuses(
      [file],
      { cache, dataFolder: "my/data" },
      /is not there: my\/data\/deca\/net\.onnx[^]*Its authors[^]*my\/data\/deca\/\.[^]*The rest\./,
    );
  }));

Deno.test("obtain reads a gated file that is there, and checks it if its hash is known", () =>
  withCache(async (cache) => {
    await Deno.writeTextFile(join(cache, "net.onnx"), "alpha");
    const file = wanted("a.bin", { source: "user:net.onnx" });
    const options = { cache, dataFolder: cache };
    assert.deepEqual(await texts([file], options), ["models/a.bin=alpha"]);
    assert.deepEqual(await texts([{ ...file, sha256: null, size: null }], options), ["models/a.bin=alpha"]);
    await refuses(
      [{ ...file, sha256: "1".repeat(64) }],
      options,
      /expected sha256 1{64}.*Get the file again from who grants it/,
    );
  }));

Deno.test("obtain stops when it is told to", () =>
  withCache(async (cache) => {
    await assert.rejects(texts([wanted("a.bin")], { cache, ...pack(), signal: AbortSignal.abort() }), {
      name: "AbortError",
    });
  }));

Deno.test("the packaged files are what data.lock says", async () => {
  const pictures = ["test/", "train/", "held/", "more/", "unseen/", "pairs/", "decoy/"];
  for (const folder of ["models/", ...pictures, "font/", "lpips/alexnet."]) {
    const ids = assetIds(folder);
    assert.ok(ids.length > 0, folder);
    for (const id of ids) assert((await asset(id)).length > 0, id);
  }
});
