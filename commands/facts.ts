/** What the run record says of the machine and the code's version. Found out only if something ran. */
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { notCode, type RunRecord } from "@ftim/pipeline";

/** The working tree that this program runs from. */
const ROOT = notCode(new URL("..", import.meta.url)).pathname;

/** Adapter, Deno, system, git commit. */
export async function machineFacts(): Promise<Record<string, unknown>> {
  const { openGpu } = await import("@ftim/gpu/device");
  const { info } = await openGpu();
  return {
    adapter: info,
    deno: Deno.version.deno,
    os: Deno.build.os,
    architecture: Deno.build.arch,
    commit: gitCommit(ROOT),
  };
}

/** What every run record says, even of a run that computed nothing: commit and host. */
export function aboutRun(): Readonly<Record<string, string>> {
  const commit = gitCommit(ROOT);
  return { ...(commit === null ? {} : { commit }), host: Deno.hostname() };
}

const adapterSchema = z.object({ vendor: z.string(), architecture: z.string(), description: z.string() }).partial();

/** Host and adapter of a run, as far as its record says. */
export function machineOf({ about, facts }: Pick<RunRecord, "about" | "facts">): string {
  const { vendor, architecture, description } = adapterSchema.safeParse(facts?.adapter).data ?? {};
  const adapter = description || [vendor, architecture].filter(Boolean).join(" ");
  return [about?.host, adapter].filter(Boolean).join(", ");
}

/**
 * The commit that a working tree stands at, or null where there is no repository. Read from git's files, which needs no
 * permission to run git. Uncommitted changes do not show here; the stages' code digests tell them.
 */
export function gitCommit(folder: string): string | null {
  const git = gitFolder(folder);
  if (git === null) return null;
  const head = read(`${git}/HEAD`)?.trim() ?? "";
  const name = /^ref: (.+)$/.exec(head)?.[1];
  if (name === undefined) return isCommit(head) ? head : null;
  // a linked work tree keeps its HEAD apart from the branches
  const shared = resolve(git, read(`${git}/commondir`)?.trim() ?? ".");
  const loose = read(`${shared}/${name}`)?.trim();
  if (loose !== undefined) return isCommit(loose) ? loose : null;
  const packed = read(`${shared}/packed-refs`)?.split("\n").find((line) => line.endsWith(` ${name}`));
  return packed?.split(" ")[0] ?? null;
}

function gitFolder(folder: string): string | null {
  for (let at = resolve(folder);; at = dirname(at)) {
    const path = `${at}/.git`;
    if (read(`${path}/HEAD`) !== undefined) return path;
    const link = /^gitdir: (.+)$/m.exec(read(path) ?? "")?.[1];
    if (link !== undefined) return resolve(at, link);
    if (at === dirname(at)) return null;
  }
}

function isCommit(text: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(text);
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
