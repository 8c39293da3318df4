import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { defineStage, listRuns, reproduce, StageError, verify } from "../../pipeline/mod.ts";
import { openLab } from "./lab.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const reject = () => Promise.reject(new Error("lost"));

const FOLDER = fileURLToPath(new URL("../../pipeline/", import.meta.url));
const { imports } = JSON.parse(Deno.readTextFileSync(`${FOLDER}deno.json`));
const PACKAGE = JSON.stringify({ imports: { ...imports, "@ftim/pipeline": `${FOLDER}mod.ts` } });

const WORKER = URL.createObjectURL(new Blob(["throw new Error('lost')"], { type: "text/javascript" }));

Deno.test("a failure that nobody catches fails the run by the stage's name, and there is a record of it", async () => {
  const ways: Record<string, () => void> = {
    "a promise": () => void reject(),
    "a promise of later": () => void wait(20).then(reject),
    "a timer": () =>
      void setTimeout(() => {
        throw new Error("lost");
      }, 20),
    "a worker": () => void new Worker(WORKER, { type: "module" }),
  };
  for (const keepGoing of [false, true]) {
    for (const [way, lose] of Object.entries(ways)) {
      using lab = openLab();
      const careless = defineStage({
        name: "careless",
        module: import.meta.url,
        inputs: {},
        output: "out",
        determinism: "bitwise",
        run: async ({ out, signal }) => {
          lose();
          for (let left = 400; left > 0 && !signal.aborted; left--) await wait(5);
          out.write("a.txt", "a");
        },
      });
      await assert.rejects(reproduce({ out: careless({}) }, lab.options({ keepGoing })), (error) => {
        assert.ok(error instanceof StageError, way);
        assert.match(error.message, /^stage "careless": .* nobody .*: .*lost/, way);
        return true;
      });
      assert.deepEqual(listRuns({ store: `${lab.root}/store` }).map(({ summary }) => summary.status), ["failed"], way);
      assert.ok(lab.events.some((event) => event.type === "failed" && event.stage === "careless"), way);
    }
  }
});

Deno.test("verify, too, takes a failure that nobody catches for the stage's", async () => {
  using lab = openLab();
  let careful = true;
  const careless = defineStage({
    name: "careless",
    module: import.meta.url,
    inputs: {},
    output: "out",
    determinism: "bitwise",
    run: async ({ out }) => {
      if (!careful) void reject();
      await wait(20);
      out.write("a.txt", "a");
    },
  });
  await reproduce({ out: careless({}) }, lab.options());
  careful = false;
  await assert.rejects(verify({ out: careless({}) }, lab.options()), /^StageError: stage "careless": .*nobody awaits/);
});

Deno.test("a stage that ends the program with a status of success makes it a failure by name", async () => {
  using lab = openLab();
  const ends = ["Deno.exit(0)", "process.exit()"];
  for (const end of ends) {
    lab.put({
      "main.ts": `
        import process from "node:process";
        import { defineStage, reproduce, silentReporter } from "@ftim/pipeline";
        const leave = defineStage({
          name: "leave", module: import.meta.url, inputs: {}, output: "out", determinism: "bitwise",
          run: async ({ out }) => { if (process.pid === 0) out.write("a", "a"); ${end}; },
        });
        await reproduce({ out: leave({}) }, { store: "../store", reporter: silentReporter() });
      `,
      "deno.json": PACKAGE,
    });
    const args = ["run", "--no-check", "--quiet", "--allow-all", "main.ts"];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: lab.source }).output();
    assert.equal(code, 1, end);
    assert.match(new TextDecoder().decode(stderr), /the program ended while stage "leave" ran/, end);
  }
});
