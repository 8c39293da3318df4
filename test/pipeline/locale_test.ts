import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openLab } from "./lab.ts";

const PROBE = fileURLToPath(new URL("locale_probe.ts", import.meta.url));

Deno.test("the locale and the time zone change no key and no result", async () => {
  using lab = openLab();
  lab.put({ "I.txt": "i", "i.txt": "I", "ä.txt": "ß", "Z.txt": "z", "İ/x.txt": "ı", "10.txt": "1,5", "9.txt": "1.5" });
  const outputs: string[] = [];
  for (const [locale, zone] of [["C", "UTC"], ["tr_TR.UTF-8", "Asia/Kolkata"], ["de_DE.UTF-8", "America/St_Johns"]]) {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--allow-read", "--allow-write", "--allow-env", PROBE, lab.root],
      env: { LANG: locale ?? "", LC_ALL: locale ?? "", LANGUAGE: (locale ?? "").slice(0, 2), TZ: zone ?? "" },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.match(new TextDecoder().decode(stderr), /^8$/m, "all was computed");
    outputs.push(new TextDecoder().decode(stdout));
  }
  assert.match(outputs[0] ?? "", /"total":\{"key":"[0-9a-f]{64}","tree":"[0-9a-f]{64}"\}/);
  assert.deepEqual(new Set(outputs).size, 1);
});
