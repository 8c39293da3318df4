/** A command without a process of its own: what a process adds, a test or two of the command show. */
import { Command } from "commander";
import { Failure } from "../../commands/failure.ts";

/** What became of a command: its exit status, and what it wrote to standard output and standard error. */
export interface Outcome {
  readonly code: number;
  readonly text: string;
  readonly error: string;
}

/**
 * Runs a command, which takes a hundredth of the time of a process; as in `main.ts`, what it throws is said and gives
 * the status 1.
 *
 * @param add what adds the command to a program
 */
export async function inProcess(add: (program: Command) => void, args: readonly string[]): Promise<Outcome> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  add(program);
  const lines: string[] = [];
  const { log } = console;
  const outcome = (code: number, error: string) => ({ code, text: lines.map((line) => `${line}\n`).join(""), error });
  console.log = (line: string) => void lines.push(line);
  try {
    await program.parseAsync([...args], { from: "user" });
    return outcome(0, "");
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return outcome(1, error instanceof Failure ? "" : error.message);
  } finally {
    console.log = log;
  }
}
