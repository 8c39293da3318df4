/** What `.ci/run` makes of the tasks' outcomes, with stand-ins for the programs that it calls. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../.ci/run", import.meta.url));

/** The script's exit status and last line, where the task `e2e` prints lines and exits so, and the others pass. */
async function outcome(lines: readonly string[], status = 0): Promise<[code: number, last: string]> {
  const folder = await Deno.makeTempDir();
  try {
    const said = ["ok | 3 passed (2 steps) | 0 failed (1s)", ...lines].map((line) => `echo '${line}'`);
    const npx = `[ "$4" = e2e ] || { ${said[0]}; exit 0; }\n${said.slice(1).join("\n")}\nexit ${status}`;
    for (const [name, text] of [["npx", npx], ["python3", "exit 0"]]) {
      await Deno.writeTextFile(`${folder}/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }
    const { code, stdout } = await new Deno.Command("bash", {
      args: [SCRIPT],
      env: { PATH: `${folder}:${Deno.env.get("PATH")}` },
      stderr: "null",
    }).output();
    return [code, new TextDecoder().decode(stdout).trim().split("\n").at(-1)!];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test(".ci/run passes where each task has passed tests and failed none", async () => {
  assert.deepEqual(await outcome(["ok | 12 passed (7 steps) | 0 failed | 1 ignored (3s)"]), [0, "18 passed, 0 failed"]);
  assert.deepEqual(await outcome(["\u001b[32mok\u001b[0m | 12 passed | 0 failed (3s)"]), [0, "18 passed, 0 failed"]);
});

Deno.test(".ci/run fails with a task that fails, whatever it prints, and with one that tests nothing", async () => {
  assert.deepEqual(await outcome(["FAILED | 11 passed | 2 failed (3s)"], 1), [1, "17 passed, 2 failed"]);
  assert.deepEqual(await outcome(["FAILED | 11 passed | 2 failed (3s)"], 0), [1, "17 passed, 2 failed"]);
  assert.deepEqual(await outcome(["ok | 12 passed | 0 failed (3s)"], 1), [1, "18 passed, 1 failed"]);
  assert.deepEqual(await outcome(["error: Type checking failed."], 1), [1, "6 passed, 1 failed"]);
  assert.deepEqual(await outcome([], 137), [1, "6 passed, 1 failed"]);
  assert.deepEqual(await outcome(["ok | 0 passed | 0 failed | 12 ignored (3s)"]), [1, "6 passed, 1 failed"]);
  assert.deepEqual(await outcome(["Nothing to do"]), [1, "6 passed, 1 failed"]);
});
