/** The command line: `deno task <command>` runs `main.ts <command>`. Each file of `commands/` adds some commands. */
import { Command } from "commander";
import { care } from "./commands/care.ts";
import { doctor } from "./commands/doctor.ts";
import { Failure } from "./commands/failure.ts";
import { gate } from "./commands/gate.ts";
import { page } from "./commands/page.ts";
import { reconstruct } from "./commands/reconstruct.ts";
import { reproduce } from "./commands/reproduce.ts";
import { runs } from "./commands/runs.ts";
import { score } from "./commands/score.ts";
import { status } from "./commands/status.ts";
import { travel } from "./commands/travel.ts";
import { versionText } from "./commands/version.ts";
import { AbortedError } from "@ftim/pipeline";

/** Exit status after an interruption, as shells use it. */
const INTERRUPTED = 130;

function commandLine(): Command {
  const program = new Command("ftim")
    .description("Reproduces the facial texture paper, from photographs to its tables.")
    .option("-V, --version", "print the version, the commit and Deno's version")
    .on("option:version", () => {
      console.log(versionText());
      Deno.exit(0);
    })
    .showHelpAfterError("Type the command with --help for its options.");
  for (const add of [reproduce, reconstruct, score, status, doctor, runs, care, gate, page, travel]) add(program);
  return program;
}

if (import.meta.main) {
  try {
    await commandLine().parseAsync(["deno", "ftim", ...Deno.args]);
    // The GPU's device keeps the process alive.
    Deno.exit(0);
  } catch (error) {
    if (error instanceof Failure) Deno.exit(1);
    if (!(error instanceof Error)) throw error;
    console.error(`\n${error.message}`);
    Deno.exit(error instanceof AbortedError ? INTERRUPTED : 1);
  }
}
