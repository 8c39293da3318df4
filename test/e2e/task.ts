/** Runs a task of deno.json as a user would, and looks at what it takes of memory as the system counts it. */
import { fileURLToPath } from "node:url";
import config from "../../deno.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What became of it. */
export interface Outcome {
  readonly code: number;
  /** What it wrote to standard output and standard error. */
  readonly out: string;
  readonly err: string;
  /** The most memory that it held, in bytes; 0 where the system does not tell. */
  readonly peak: number;
}

/** The most memory that a process has held, in bytes, as long as it lives; null afterwards. */
async function peakOf(pid: number): Promise<number | null> {
  // Deno reads nothing of /proc unless it may do everything.
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/status`], stderr: "null" }).output();
  const found = /^VmHWM:\s*(\d+) kB$/m.exec(new TextDecoder().decode(stdout))?.[1];
  return found === undefined ? null : 1024 * Number(found);
}

/**
 * Runs a task, without those that it depends on.
 *
 * @param every milliseconds between two looks at its memory
 */
export async function runTask(
  task: "doctor" | "reconstruct" | "reproduce",
  args: readonly string[],
  { every = 50 }: { every?: number } = {},
): Promise<Outcome> {
  const words = config.tasks[task].command.split(" ");
  const program = words.indexOf("deno");
  const env = Object.fromEntries(words.slice(0, program).map((word) => word.split("=") as [string, string]));
  const child = new Deno.Command(Deno.execPath(), {
    args: [...words.slice(program + 1), ...args],
    cwd: ROOT,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let [peak, over] = [0, Deno.build.os !== "linux"];
  const ended = child.output().finally(() => over = true);
  while (!over) {
    peak = Math.max(peak, await peakOf(child.pid) ?? 0);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  const { code, stdout, stderr } = await ended;
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)) as [string, string];
  return { code, out, err, peak };
}
