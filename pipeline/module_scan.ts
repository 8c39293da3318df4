/** What one module's text says: which modules it loads by address and which files it reads, as far as can be told. */
import { type InfoModule, isData } from "./deno_info.ts";
import { ENGINE } from "./engine_url.ts";
import { packageFolder } from "./installed.ts";
import { NOTHING, type Place, type Reads, readsOf } from "./module_reads.ts";
import { remember, type Remembered } from "./remembered.ts";
import { stampOf } from "./stamp.ts";
import { urlPath } from "./url_path.ts";

/** What one module's text says, and where that leads. */
export interface Scan {
  readonly module: InfoModule;
  readonly local: string;
  readonly sha256: string;
  /** Paths of other files that it reads. */
  readonly files: readonly string[];
  /** What it reaches for, as it is written there. */
  readonly reads: Reads;
  /** What cannot be followed. */
  readonly unclear: readonly Place[];
  /** URLs of modules that it loads by `import.meta.url`. */
  readonly loads: readonly string[];
}

/** Where files are remembered, and what is known of texts from before. */
export interface Scanning {
  readonly files: Record<string, Remembered>;
  readonly known: ReadonlyMap<string, Reads>;
}

/** Reads one module. */
export async function scan(module: InfoModule, { files, known }: Scanning): Promise<Scan> {
  const { specifier, local, mediaType = "TypeScript" } = module;
  const path = local ?? (specifier.startsWith("file:") ? urlPath(specifier) : specifier);
  const file = files[path] ??= remember(path);
  const isScript = file.ino !== -1 && !isData(module) && /script$|^TSX$|^JSX$|^[MC][jt]s$/i.test(mediaType);
  const language = mediaType;
  const reads = !isScript
    ? NOTHING
    : known.get(file.sha256) ?? await readsOf(Deno.readTextFileSync(path), { language });
  const strangers = [
    ...specifier.startsWith(ENGINE) ? [] : reads.leaks,
    ...reads.exemptions.filter((place) => !isEngines(place, module)),
    ...reads.helpers.filter((place) => !isEngines(place, module) && !isFollowed(place, module)),
  ];
  const found = { loads: new Set<string>(), files: new Set<string>(), unclear: [...strangers, ...reads.unclear] };
  for (const place of [...reads.addresses, ...reads.resolved.filter((place) => isAddress(place, module, found))]) {
    const url = URL.parse(place.address, specifier);
    if (url === null || (url.protocol !== "file:" && URL.canParse(place.address))) continue;
    url.hash = "";
    if (url.protocol !== "file:") {
      if (isCode(url)) found.loads.add(url.href);
      else found.unclear.push(place);
      continue;
    }
    const target = urlPath(url);
    if (isOther(target)) {
      found.unclear.push(place);
      continue;
    }
    const { ino } = files[target] ??= remember(target);
    if (ino === -1) continue;
    if (isCode(url)) found.loads.add(url.href);
    else found.files.add(target);
  }
  return {
    module,
    local: path,
    sha256: file.sha256,
    reads,
    loads: [...found.loads],
    files: [...found.files],
    unclear: found.unclear,
  };
}

/** Whether `import.meta.resolve` is given an address; a package's name is fine where the module imports it too. */
function isAddress(
  place: Reads["resolved"][number],
  { dependencies = [] }: InfoModule,
  { unclear }: { readonly unclear: Place[] },
): boolean {
  if (/^(\.{0,2}\/|file:|https?:)/.test(place.address)) return true;
  if (!dependencies.some(({ specifier }) => specifier === place.address)) unclear.push(place);
  return false;
}

/** Whether an import leads to the engine. */
function isEngines(place: Reads["exemptions"][number], module: InfoModule): boolean {
  return targetOf(place, module).startsWith(ENGINE);
}

/** Whether an import leads to a module whose text is looked at as well. */
function isFollowed(place: Reads["helpers"][number], module: InfoModule): boolean {
  const target = targetOf(place, module);
  return isModule(target) && !(target.startsWith("file:") && packageFolder(urlPath(target)) !== null);
}

function targetOf({ address }: Reads["helpers"][number], { specifier, dependencies = [] }: InfoModule): string {
  const target = dependencies.find((dependency) => dependency.specifier === address)?.code?.specifier;
  return target ?? URL.parse(address, specifier)?.href ?? "";
}

/** Whether an address is that of a module of code, by its name. */
export function isCode({ pathname }: URL): boolean {
  return /\.[cm]?[jt]sx?$/.test(pathname);
}

/** Of the user's or from another host; what is left are packages and built-in modules. */
export function isModule(specifier: string): boolean {
  return /^(file|https?):/.test(specifier);
}

/** Whether there is something that is no file. */
function isOther(path: string): boolean {
  return stampOf(path) !== null && !Deno.statSync(path).isFile;
}
