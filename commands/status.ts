/** `status`, `explain`, `graph`: what would run, why, and how it all hangs together. Nothing runs. */
import { type Command, Option } from "commander";
import { explain, graphMermaid, graphOf, graphSvg, graphText, statusOf, statusText } from "@ftim/pipeline";
import { artifactsOf, type Common, engineOptions, experimentCommand } from "./common.ts";

const FORMS = { text: graphText, mermaid: graphMermaid, svg: graphSvg };

/** Adds the commands. */
export function status(program: Command): void {
  experimentCommand(program, ["status", "which results are out of date, and why"])
    .action(async (options: Common) => {
      console.log(statusText(await statusOf(await artifactsOf(options), engineOptions(options))));
    });
  experimentCommand(program, ["explain", "why a stage would run again"]).argument("<stage>")
    .action(async (stage: string, options: Common) => {
      console.log(statusText(await explain(await artifactsOf(options), stage, engineOptions(options))));
    });
  experimentCommand(program, ["graph", "the stages and what each reads"])
    .addOption(new Option("--format <form>", "of the drawing").choices(Object.keys(FORMS)).default("text"))
    .option("--status", "note which stages are out of date")
    .action(async (options: Common & { readonly format: keyof typeof FORMS; readonly status?: true }) => {
      const artifacts = await artifactsOf(options);
      const rows = options.status === true ? await statusOf(artifacts, engineOptions(options)) : [];
      console.log(FORMS[options.format](graphOf(artifacts, rows)));
    });
}
