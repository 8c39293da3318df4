import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

async function doctor(...args: string[]): Promise<{ code: number; text: string }> {
  const permissions = ["read", "write", "env", "sys", "ffi"].map((name) => `--allow-${name}`);
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...permissions, "main.ts", "doctor", ...args],
    cwd: ROOT,
    stderr: "inherit",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) };
}

Deno.test("doctor looks at the machine, and at the data folder when the experiment is the paper's", async () => {
  const folder = await Deno.makeTempDir({ prefix: "ftim-doctor-" });
  try {
    const store = `${folder}/store`;
    const machine = await doctor("--store", store);
    assert.match(
      machine.text,
      /^ftim .*\nok +adapter .*\nok +libraries .*load\nok +packages +\d+ of \d+ files.*\nok +store/,
    );
    assert.equal(machine.code, 0);
    assert.deepEqual([...Deno.readDirSync(store)], []);

    await Deno.mkdir(`${folder}/data/flame`, { recursive: true });
    await Deno.writeTextFile(`${folder}/data/flame/generic_model.pkl`, "<html><title>Log in</title>");
    const { code, text } = await doctor("--store", store, "--experiment", "paper", "--data", `${folder}/data`);
    assert.equal(code, 1);
    assert.match(text, /absent +facescape\/images\/ +FaceScape multi-view/);
    assert.match(text, /WRONG +flame\/generic_model\.pkl +it is a web page \("Log in"\)[^]*no stage reads yet/);
    assert.match(
      text,
      /FLAME head model\n +files: .*\n +granted by: Max Planck.*\n +licence: .*\n +needed by: .*\n +what to do/,
    );
    assert.match(
      text,
      /It cannot run: facescape\/images\/ is needed;.*vgg19-dcbb9e9d\.pth or vgg19\/vgg19_relu4_2\.safetensors/,
    );

    await Deno.writeTextFile(`${folder}/file`, "");
    const blocked = await doctor("--store", `${folder}/file/store`);
    assert.match(blocked.text, /FAIL +store +.*cannot be written/);
    assert.equal(blocked.code, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
