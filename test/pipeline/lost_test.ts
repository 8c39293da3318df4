import assert from "node:assert/strict";
import { defineStage, listRuns, reproduce, StageError } from "../../pipeline/mod.ts";
import { openLab } from "./lab.ts";

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const reject = () => Promise.reject(new Error("lost"));

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
