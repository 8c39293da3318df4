/** Packages of PyPI from an index of our own, which answers as PyPI, as a mirror, or not at all. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { AssetError, DownloadError, obtain, type WantedFile } from "../../../../stages/data/parts/obtain.ts";
import { splitArchive } from "../../../../stages/data/parts/python_package.ts";

const [WHEEL, SOURCE] = ["some_pack-1.0.0-py3-none-any.whl", "some_pack-1.0.0.tar.gz"];
const FILES = { "some_pack/a.bin": "alpha".repeat(20), "some_pack/deep/b.bin": "beta", "some_pack/c.bin": "gamma" };

const archiveBytes = (name: string) => Deno.readFileSync(new URL(`../../../golden/packages/${name}`, import.meta.url));
const hashOf = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");

function wanted(path: keyof typeof FILES, archive: string, change: Partial<WantedFile> = {}): WantedFile {
  const text = FILES[path];
  return {
    id: `models/${path}`,
    source: `pypi:some_pack@1.0.0/${path}`,
    sha256: hashOf(text),
    size: text.length,
    shared: { archive: `${archive}#sha256=${hashOf(archiveBytes(archive))}` },
    ...change,
  };
}

type Pages = Readonly<Record<string, (request: Request) => Response>>;

interface Index {
  readonly index: string;
  readonly cache: string;
  /** Paths that were asked for. */
  readonly asked: string[];
}

/** An index that answers under some paths. */
async function withIndex(pages: Pages, use: (index: Index) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const cache = await Deno.makeTempDir({ prefix: "ftim-pypi-" });
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    return pages[pathname]?.(request) ?? new Response("no", { status: 404 });
  });
  try {
    await use({ index: `http://127.0.0.1:${server.addr.port}/simple/`, cache, asked });
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

const file = (name: string) => () => new Response(archiveBytes(name));
const json = (files: unknown) => () =>
  new Response(JSON.stringify({ files }), { headers: { "content-type": "application/vnd.pypi.simple.v1+json" } });
const html = (text: string) => () => new Response(text, { headers: { "content-type": "text/html" } });

async function texts(files: readonly WantedFile[], options: Parameters<typeof obtain>[1]): Promise<string[]> {
  const result: string[] = [];
  for await (const { bytes } of obtain(files, options)) result.push(new TextDecoder().decode(bytes));
  return result;
}

for (const archive of [WHEEL, SOURCE]) {
  Deno.test(`obtain takes files out of ${archive}, keeps its neighbours, and asks the index once`, () => {
    const pages = {
      "/simple/some-pack/": json([{ url: "/files/other-1.0.0.whl" }, null, {}, { url: `../../files/${archive}` }]),
      [`/files/${archive}`]: file(archive),
    };
    return withIndex(pages, async ({ asked, index, cache }) => {
      const [a, b, c] = [
        wanted("some_pack/a.bin", archive),
        wanted("some_pack/deep/b.bin", archive),
        wanted("some_pack/c.bin", archive),
      ];
      const options = { index, cache, neighbours: [a, b, c] };
      assert.deepEqual(await texts([b, a], options), [FILES["some_pack/deep/b.bin"], FILES["some_pack/a.bin"]]);
      assert.deepEqual(await texts([c], options), [FILES["some_pack/c.bin"]]);
      assert.deepEqual(asked, ["/simple/some-pack/", `/files/${archive}`]);
      assert.deepEqual([...Deno.readDirSync(join(cache, "tmp"))], []);
    });
  });
}

Deno.test("an index that answers with a web page and asks for a password serves as well", () => {
  const guarded = (answer: () => Response) => (request: Request) =>
    request.headers.get("authorization") === `Basic ${btoa("me:p@ss")}` ? answer() : new Response("", { status: 401 });
  const link = `<a data-requires-python="&gt;=3"\n href='/files/${WHEEL}#sha256=00&amp;x'>${WHEEL}</a>`;
  const pages = {
    "/simple/some-pack/": guarded(html(`<html><a href="/files/other.whl">other</a><br/>${link}`)),
    [`/files/${WHEEL}`]: guarded(file(WHEEL)),
  };
  return withIndex(pages, async ({ index, cache }) => {
    const own = index.replace("//", "//me:p%40ss@");
    assert.deepEqual(await texts([wanted("some_pack/c.bin", WHEEL)], { index: own, cache }), ["gamma"]);
    await assert.rejects(
      texts([wanted("some_pack/a.bin", WHEEL)], { index: index, cache }),
      /simple\/some-pack\/ answ.* 401/,
    );
    const wrong = index.replace("//", "//me:secret@");
    await assert.rejects(texts([wanted("some_pack/a.bin", WHEEL)], { index: wrong, cache }), (error: Error) => {
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });
});

const faults: readonly (readonly [what: string, pages: Pages, message: RegExp])[] = [
  ["lacks the package", {}, /PyPI package some_pack@1\.0\.0: http:.*\/simple\/some-pack\/ answers 404/],
  [
    "lacks the archive",
    { "/simple/some-pack/": html("<a href='x-2.0.0.whl'>x</a>") },
    /has no some_pack-1\.0\.0.*whl/,
  ],
  [
    "has another archive of that name",
    { "/simple/some-pack/": json([{ url: `/${WHEEL}` }]), [`/${WHEEL}`]: file(SOURCE) },
    /does not have the integrity that data\.lock names.*expected sha256 \w{64}, got \w{64}/,
  ],
  [
    "is broken",
    { "/simple/some-pack/": () => new Response("", { status: 503 }) },
    /cannot download PyPI package some_pack@1\.0\.0: .* answers 503/,
  ],
  ["lies about its format", { "/simple/some-pack/": json("none") }, /has no some_pack/],
];

for (const [what, pages, message] of faults) {
  Deno.test(`an index that ${what} is named, with the file that is wanted`, () =>
    withIndex(pages, async ({ index, cache }) => {
      await assert.rejects(texts([wanted("some_pack/a.bin", WHEEL)], { index, cache }), (error: Error) => {
        assert(error instanceof DownloadError);
        assert.equal(error.id, "models/some_pack/a.bin");
        assert.match(error.message, /^models\/some_pack\/a\.bin: /);
        assert.match(error.message, message);
        assert.match(error.message, /PIP_INDEX_URL in the environment can name another index/);
        return true;
      });
      assert.throws(() => Deno.statSync(join(cache, "assets")), Deno.errors.NotFound);
    }));
}

Deno.test("a machine that reaches no index hears that there is no connection", () =>
  withIndex({}, async ({ cache }) => {
    const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = closed.addr as Deno.NetAddr;
    closed.close();
    await assert.rejects(
      texts([wanted("some_pack/a.bin", WHEEL)], { index: `http://127.0.0.1:${port}/simple`, cache }),
      /cannot download PyPI package.*no connection.*copy \.ftim\/cache.*PIP_INDEX_URL/,
    );
    await assert.rejects(
      texts([wanted("some_pack/a.bin", WHEEL)], { index: "nowhere", cache }),
      /PIP_INDEX_URL must be an address, not "nowhere"/,
    );
  }));

Deno.test("a file that an archive lacks, or that is another, is named and not kept", () => {
  const pages = { "/simple/some-pack/": json([{ url: `/${WHEEL}` }]), [`/${WHEEL}`]: file(WHEEL) };
  return withIndex(pages, async ({ index, cache }) => {
    const absent = wanted("some_pack/a.bin", WHEEL, { source: "pypi:some_pack@1.0.0/some_pack/d.bin" });
    await assert.rejects(
      texts([absent], { index, cache }),
      /PyPI package some_pack@1\.0\.0 has no file some_pack\/d\.bin/,
    );
    const other = wanted("some_pack/a.bin", WHEEL, { sha256: "0".repeat(64) });
    await assert.rejects(texts([other], { index, cache }), (error) => {
      assert(error instanceof AssetError && !(error instanceof DownloadError));
      assert.match(error.message, /expected sha256 0{64}, got /);
      return true;
    });
    await assert.rejects(texts([other], { index, cache, signal: AbortSignal.abort() }), { name: "AbortError" });
  });
});

Deno.test("splitArchive takes an archive's name and hash apart, and nothing else", () => {
  const [file, hash] = ["b-1.0.tar.gz", "a".repeat(64)];
  assert.deepEqual(splitArchive(`${file}#sha256=${hash}`), { file, sha256: hash });
  for (const other of [file, `${file}#sha256=abc`, `a/${file}#sha256=${hash}`, `b.zip#sha256=${hash}`]) {
    assert.equal(splitArchive(other), null);
  }
});
