/** A small laboratory: a temporary store and sources, stages with counted runs, code digests by hand. */
import { join } from "node:path";
import { z } from "zod";
import {
  type CodeDigests,
  defineStage,
  type Options,
  type PipelineEvent,
  type Reporter,
  sha256,
  silentReporter,
} from "../../pipeline/mod.ts";

/** A temporary folder with `store` and `in`, and options that point there. */
export interface Lab extends Disposable {
  readonly root: string;
  readonly source: string;
  readonly events: PipelineEvent[];
  /** Change to pretend that the code changed. */
  code: string;
  options(more?: Options): Options;
  /** Writes source files. */
  put(files: Readonly<Record<string, string>>): void;
}

export function openLab(): Lab {
  const root = Deno.makeTempDirSync({ prefix: "pipeline-" });
  const source = join(root, "in");
  Deno.mkdirSync(source);
  const events: PipelineEvent[] = [];
  const lab: Lab = {
    root,
    source,
    events,
    code: "code 1",
    options: (more = {}) => ({
      store: join(root, "store"),
      reporter: collect(events),
      codeDigests: codeOf(() => lab.code),
      ...more,
    }),
    put(files) {
      for (const [name, text] of Object.entries(files)) {
        const path = join(source, name);
        Deno.mkdirSync(join(path, ".."), { recursive: true });
        Deno.writeTextFileSync(path, text);
      }
    },
    [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }),
  };
  return lab;
}

function collect(events: PipelineEvent[]): Reporter {
  const quiet = silentReporter();
  return (event) => {
    events.push(event);
    quiet(event);
  };
}

function codeOf(text: () => string): CodeDigests {
  return (modules) =>
    Promise.resolve(new Map(modules.map((url) => [url, { modules: { "stage.ts": sha256(text()) }, packages: {} }])));
}

/** What a stage without inputs is defined by. */
export type PlainDefinition = Parameters<typeof defineStage<Record<never, never>, "out">>[0];

/** A stage without inputs that writes one file, with changes to its definition. */
export function plainStage(more: Partial<PlainDefinition>) {
  return defineStage({
    name: "plain",
    module: import.meta.url,
    inputs: {},
    output: "out",
    determinism: "bitwise",
    run: ({ out }) => out.write("a.txt", "a"),
    ...more,
  });
}

/** upper: per item, text → upper case (plus a suffix); total: whole, joins all results. Both log what they ran. */
export function textStages() {
  const ran: string[] = [];
  const upper = defineStage({
    name: "upper",
    module: import.meta.url,
    inputs: { texts: "folder" },
    output: "texts",
    each: ["texts"],
    params: z.object({ suffix: z.string().default("") }).strict(),
    determinism: "bitwise",
    run: async ({ items, params }) => {
      for (const { key, inputs, out, skip } of items) {
        ran.push(`upper ${key}`);
        const text = await inputs.texts.text(inputs.texts.paths[0] ?? "");
        if (text === "") skip("empty");
        else out.write(`${key}.up.txt`, text.toUpperCase() + params.suffix);
      }
    },
  });
  const total = defineStage({
    name: "total",
    module: import.meta.url,
    inputs: { texts: "texts" },
    output: "total",
    determinism: "bitwise",
    run: async ({ inputs, out }) => {
      ran.push("total");
      const texts = await Promise.all(inputs.texts.paths.map((path) => inputs.texts.text(path)));
      out.json("total.json", { texts, skipped: Object.fromEntries(inputs.texts.skipped) });
    },
  });
  return { ran, upper, total };
}
