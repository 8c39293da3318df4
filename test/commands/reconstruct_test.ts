/** `reconstruct` on the command line, as far as it computes nothing. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withScratch } from "../stages/scratch.ts";

async function run(
  args: readonly string[],
  { env = {}, stdin }: { env?: Record<string, string>; stdin?: string } = {},
) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", "main.ts", "reconstruct", ...args],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...env, NO_COLOR: "1" },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}

Deno.test("--help of reconstruct shows what concerns it: its options, examples, files and exit codes", async () => {
  const { code, out } = await run(["--help"]);
  assert.equal(code, 0);
  for (
    const word of [
      "--output",
      "--trained",
      "--experiment",
      "--size",
      "--same-person",
      "--json",
      "Examples:",
      "face.glb",
      "face_albedo.glb",
      "face.obj",
      "index.html",
      "Exit status:",
    ]
  ) {
    assert.ok(out.includes(word), word);
  }
  for (const word of ["--steps", "--seeds", "--triplets", "--identities", "--schedule", "--regressor", "--picked"]) {
    assert.ok(!out.includes(word), word);
  }
});

Deno.test("a photograph is found in the folder that the task was called from, and --json prints one document", () =>
  withScratch(async ({ folder, write }) => {
    await write("me.jpg", "no image");
    const { code, out, err } = await run(["me.jpg", "-", "--json"], { env: { INIT_CWD: folder }, stdin: "%PDF-1.7" });
    assert.equal(code, 1);
    assert.equal(err, "");
    const { schema, photographs, failed, index, notes } = JSON.parse(out);
    assert.deepEqual([schema, photographs, index, notes], [1, [], null, []]);
    assert.deepEqual(failed.map(({ photo }: { photo: string }) => photo), ["me.jpg", "standard input"]);
    assert.match(failed[0].reason, /^me\.jpg: not a picture/);
    assert.match(failed[1].reason, /^standard input: this is a PDF document/);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["me.jpg"]);
  }));

Deno.test("where nothing can be begun, --json says why in its document; --trained is of the person's folder", () =>
  withScratch(async ({ folder, write }) => {
    await write("me.jpg", "no image");
    const { code, out, err } = await run(["me.jpg", "--json", "--trained", "absent.safetensors"], {
      env: { INIT_CWD: folder },
    });
    assert.equal(code, 1);
    const { photographs, failed, error } = JSON.parse(out);
    assert.deepEqual([photographs, failed], [[], []]);
    assert.match(error, /absent\.safetensors: there is no such file/);
    assert.ok(err.includes(error));
  }));

Deno.test("a system without a folder for temporary files is told so", async () => {
  const { code, err } = await run(["README.md"], { env: { TMPDIR: "/nonexistent" } });
  assert.equal(code, 1);
  assert.match(err, /nothing can be written in TMPDIR \(\/nonexistent\): name another folder in TMPDIR/);
});

Deno.test("where a photograph lies in the current folder and not where the task was called from, it is found too", () =>
  withScratch(async ({ folder }) => {
    const { err } = await run(["README.md"], { env: { INIT_CWD: folder } });
    assert.match(err, /README\.md: not a picture/);
  }));

Deno.test("what has no result is listed at the end, with exit status 1, and no stage is named", async () => {
  const { code, out, err } = await run(["absent.jpg", "deno.json"]);
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /2 of 2 photographs without a result:\n- absent\.jpg: there is no such file\n- deno\.json: not/);
});

Deno.test("a size that no texture can have, and a person without all photographs, are refused", async () => {
  const size = await run(["absent.jpg", "--size", "300"]);
  assert.equal(size.code, 1, size.err);
  assert.match(size.err, /--size.*256, 512, 1024/);
  const { code, err } = await run(["absent.jpg", "deno.json", "--same-person"]);
  assert.equal(code, 1);
  assert.match(err, /absent\.jpg: there is no such file/);
});
