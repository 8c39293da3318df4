/** A few damaged files of each format; thousands are tried by `deno task test:faults`. */
import assert from "node:assert/strict";
import { damageFormat, FORMATS } from "./damage.ts";

const CASES = 60;

for (const format of Object.keys(FORMATS)) {
  Deno.test(`${format}: of ${CASES} damaged files each is read right or refused clearly`, async () => {
    assert.deepEqual(await damageFormat(format, CASES), []);
  });
}
