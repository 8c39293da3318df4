/**
 * Runs a small graph whose names sort differently from locale to locale, and prints the keys: `locale_probe.ts ROOT`.
 */
import { reproduce, silentReporter, sourceFolder } from "../../pipeline/mod.ts";
import { textStages } from "./lab.ts";

const [root = ""] = Deno.args;
const { upper, total } = textStages();
const codeDigests = (modules: readonly string[]) =>
  Promise.resolve(new Map(modules.map((url) => [url, { modules: { "stage.ts": "0" }, packages: {} }])));
await reproduce({ total: total({ texts: upper({ texts: sourceFolder(`${root}/in`) }, { suffix: "ı" }) }) }, {
  store: Deno.makeTempDirSync({ dir: root }),
  reporter: (event) => {
    if (event.type === "end") console.error(event.executed);
    silentReporter()(event);
  },
  codeDigests,
});
for (const { name } of Deno.readDirSync(root)) {
  if (name === "in") continue;
  const [run] = [...Deno.readDirSync(`${root}/${name}/runs`)];
  const { stages } = JSON.parse(Deno.readTextFileSync(`${root}/${name}/runs/${run?.name}`));
  console.log(JSON.stringify(stages));
  Deno.removeSync(`${root}/${name}`, { recursive: true });
}
