/** The example of `mod.ts`, run as a user of the package runs it, on the committed network. */
import assert from "node:assert/strict";
import { asset } from "../assets.ts";

Deno.test("the example of mod.ts reconstructs a photograph from a folder of the user's", async () => {
  const root = new URL("../../", import.meta.url);
  const source = await Deno.readTextFile(new URL("mod.ts", root));
  const [, example] = /^ \* ```ts\n(.*?)^ \* ```$/ms.exec(source)!;
  const code = example!.replaceAll(/^ \* ?/gm, "").replace(
    '"@ftim/ftim"',
    JSON.stringify(new URL("mod.ts", root).href),
  );
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/photo.jpg`, await asset("train/obama/obama4_crop.jpg"));
    // WebGPU keeps a process alive for seconds after its last line.
    await Deno.writeTextFile(`${folder}/example.ts`, `${code}\nDeno.exit(0);\n`);
    const permissions = ["read", "write", "env", "net", "sys", "ffi", "run"].map((name) => `--allow-${name}`);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--config", new URL("deno.json", root).pathname, ...permissions, "example.ts"],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.match(new TextDecoder().decode(stdout), /^faces: turned by -?\d+°, [4-9]\d % was seen$/m);
    assert.ok((await Deno.stat(`${folder}/faces/face.glb`)).isFile);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
