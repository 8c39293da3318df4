/** A project of a user's that has the package beside it, as its README says. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** The package's folder. */
export const PACKAGE = fileURLToPath(new URL("../../pipeline", import.meta.url));

/** What the README tells a user: the program, the configuration and the command. */
export function exampleOf(text: string): { program: string; config: string; args: string[] } {
  const program = /```ts\n([^]*?)```/.exec(text)?.[1];
  const config = /`({ "workspace"[^`]*)`/.exec(text)?.[1];
  const command = /`deno (run [^`]*count\.ts)`/.exec(text)?.[1];
  assert.ok(program !== undefined && config !== undefined && command !== undefined);
  return { program, config, args: command.split(" ") };
}

/** A project of a user's: the package in it, a configuration, a program, and `texts/`. */
interface Project {
  /** Runs the program, which must succeed, and gives what it says. */
  run(args: readonly string[]): Promise<string>;
  put(name: string, text: string): void;
  result(name: string): unknown;
}

export function openProject(root: string, files: Readonly<Record<string, string>>): Project {
  Deno.mkdirSync(`${root}/texts`, { recursive: true });
  copyPackage(`${root}/pipeline`);
  for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${root}/${name}`, text);
  return {
    async run(args) {
      const { success, stderr } = await new Deno.Command("deno", { args: [...args], cwd: root }).output();
      const text = new TextDecoder().decode(stderr);
      assert.ok(success, text);
      return text;
    },
    put: (name, text) => Deno.writeTextFileSync(`${root}/texts/${name}.txt`, text),
    result: (name) => JSON.parse(Deno.readTextFileSync(`${root}/results/${name}.json`)),
  };
}

/** Copies the package, so that it is imported without the workspace that it is developed in. */
export function copyPackage(to: string): void {
  Deno.mkdirSync(to);
  for (const { name, isFile } of Deno.readDirSync(PACKAGE)) {
    if (isFile) Deno.copyFileSync(`${PACKAGE}/${name}`, `${to}/${name}`);
  }
}
