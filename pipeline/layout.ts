/**
 * What lies where in a store, and of which kind: a file, or a folder. Where something else has taken an entry's place
 * (a folder copied over a file, a link that leads nowhere), whoever uses the store is told so before anything is
 * opened, and fsck sets the thing aside.
 */
import { dirname } from "node:path";
import { StoreError } from "./errors.ts";

type Kind = "file" | "folder" | "neither a file nor a folder" | "link that leads nowhere";

/** Of the entries that every store has or may have; `quarantine` comes first, because the others are moved there. */
const ENTRIES: readonly (readonly [name: string, kind: Kind])[] = [
  ...["quarantine", "tmp", "locks", "scratch", "hints", "runs", "published", "store", "store/sha256"]
    .map((name) => [name, "folder"] as const),
  ...["use.lock", "state.lock", "state.use.lock", "runs.lock", "gpu.lock", "reserve"]
    .map((name) => [name, "file"] as const),
  ...["state.db", "state.db-wal", "state.db-shm"].map((name) => [name, "file"] as const),
];

/** Of what lies in some of the folders, by name; a name that matches nothing is somebody else's, and does no harm. */
const CONTENTS: readonly (readonly [folder: string, name: RegExp, kind: Kind | "any"])[] = [
  ["store/sha256", /^[0-9a-f]{2}$/, "folder"],
  ["tmp", /\.lock$/, "file"],
  ["tmp", /^/, "any"],
  ["locks", /^/, "file"],
  ["scratch", /^[0-9a-f]{64}$/, "folder"],
  ["scratch", /^/, "any"],
  ["hints", /\.json$/, "file"],
  ["runs", /\.(json|open)$/, "file"],
  ["published", /^(lock|.*\.json)$/, "file"],
];

interface Fault {
  readonly path: string;
  readonly found: Kind;
  readonly wanted: Kind | "any";
}

/** What kind of thing a path leads to; null where nothing is. */
export function kindOf(path: string): Kind | null {
  try {
    const { isFile, isDirectory } = Deno.statSync(path);
    return isFile ? "file" : isDirectory ? "folder" : "neither a file nor a folder";
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) return null;
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.FilesystemLoop)) throw error;
  }
  try {
    // another process may have just made it
    return Deno.lstatSync(path).isSymlink ? "link that leads nowhere" : kindOf(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.FilesystemLoop) return null;
    throw error;
  }
}

/** The entries whose place something else has taken, one at a time: what is found next depends on those before. */
function* faultsIn(root: string): Generator<Fault> {
  for (const [name, wanted] of ENTRIES) {
    const path = `${root}/${name}`;
    const found = kindOf(path);
    if (found !== null && found !== wanted) yield { path, found, wanted };
  }
  for (const [folder, pattern, wanted] of CONTENTS) {
    const path = `${root}/${folder}`;
    if (kindOf(path) !== "folder") continue;
    for (const { name, isFile, isDirectory } of entriesOf(path)) {
      if (!pattern.test(name)) continue;
      const found = isFile ? "file" : isDirectory ? "folder" : kindOf(`${path}/${name}`);
      const fits = wanted === "any" ? found !== "link that leads nowhere" : found === wanted;
      // null: a run beside has just removed it
      if (found !== null && !fits) yield { path: `${path}/${name}`, found, wanted };
    }
  }
}

function entriesOf(folder: string): readonly Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    // somebody else's store may be used as far as it can be read
    if (error instanceof Deno.errors.PermissionDenied) return [];
    throw error;
  }
}

/** @throws {StoreError} where something else has the place of one of a store's own files or folders */
export function checkLayout(root: string): void {
  for (const { path, found, wanted } of faultsIn(root)) {
    const what = found.startsWith("neither") ? found : `a ${found}`;
    const instead = wanted === "any" ? "" : `, and the store needs a ${wanted} there`;
    throw new StoreError(
      `${path} is ${what}${instead}: run fsck, which moves it away; the next run recomputes the rest`,
    );
  }
}

/** Moves away whatever has the place of one of a store's own files or folders; returns where each was. */
export function repairLayout(root: string): readonly string[] {
  const moved: string[] = [];
  for (const { path } of faultsIn(root)) {
    setAside(root, path);
    // the log of another database would be taken for that of the next one
    if (path === `${root}/state.db`) ["-wal", "-shm"].forEach((suffix) => setAside(root, path + suffix));
    moved.push(path);
  }
  return moved;
}

function setAside(root: string, path: string): void {
  const quarantine = `${root}/quarantine`;
  const name = path.slice(root.length + 1).replaceAll("/", "-");
  const inside = path !== quarantine;
  if (inside) Deno.mkdirSync(quarantine, { recursive: true });
  try {
    Deno.renameSync(
      path,
      inside ? `${quarantine}/${name}.${Date.now()}` : `${dirname(path)}/${name}.damaged-${Date.now()}`,
    );
  } catch (error) {
    // another process was faster, or there is no such file beside the database
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
