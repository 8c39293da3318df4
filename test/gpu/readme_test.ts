import assert from "node:assert/strict";
import config from "../../gpu/deno.json" with { type: "json" };

const readme = await Deno.readTextFile(new URL("../../gpu/README.md", import.meta.url));
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const PERMISSIONS = ["env", "read", "sys", "ffi", "net"].map((name) => `--allow-${name}`);

/** Runs an example in a process of its own, with each package where this project has it, and gives what it prints. */
async function printed(code: string): Promise<string> {
  const resolved = code.replaceAll(/(from |import )"(@[^"]+)"/g, (_, before, name) => {
    return `${before}${JSON.stringify(import.meta.resolve(name))}`;
  });
  // WebGPU keeps a process alive for seconds after its last line.
  const source = `data:application/typescript,${encodeURIComponent(`${resolved}\nDeno.exit(0);`)}`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--config", CONFIG, ...PERMISSIONS, source],
    env: { NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("the examples of gpu/README.md run and print what they should", async () => {
  assert.equal(examples.length, 2);
  const [trained, convolved] = [await printed(examples[0]!), await printed(examples[1]!)];
  assert.match(trained, /^Float32Array\(1\) \[ \d+\.\d+ \] \[ 3, 3, 8, 8 \]\n$/);
  assert.equal(convolved, "Float32Array(1) [ 36 ]\n");
});

Deno.test("the table of gpu/README.md names every export and no other", () => {
  const rows = readme.split("\n").filter((line) => line.startsWith("| `@ftim/gpu"));
  const names = rows.flatMap((row) => [...row.split("|")[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
  const listed = names.map((name) => name.replace("@ftim/gpu", "").replace(/^\//, "./") || ".");
  assert.deepEqual(listed.toSorted(), Object.keys(config.exports).toSorted());
});

Deno.test("the fast kernels load as many files as gpu/README.md says, at most 45, and no package", async () => {
  const entry = new URL("../../gpu/fast_kernels.ts", import.meta.url);
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", entry.href] }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
  const dependencies = new Map(modules.map((module) => [module.specifier, module.dependencies ?? []]));
  const loaded = new Set([entry.href]);
  for (const file of loaded) {
    for (const { code, isDynamic } of dependencies.get(file) ?? []) {
      if (code?.specifier !== undefined && isDynamic !== true) loaded.add(code.specifier);
    }
  }
  assert.deepEqual([...loaded].filter((file) => !file.startsWith("file:")), []);
  assert.ok(loaded.size <= 45, `${loaded.size}`);
  assert.match(readme, new RegExp(`${loaded.size} files, and no package beside your own tfjs`));
});

/** A module as `deno info --json` has it; `code` is what runs, without imports of types. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly code?: { readonly specifier?: string }; readonly isDynamic?: boolean }[];
}
