/**
 * Damages files of tensors in one place at a time, by seed: reading one must end in a clear error or in tensors that
 * fit their shapes, and that are right where the format has checksums; never in a crash, a hang, or more memory than
 * twice the file's tensors. `FTIM_FAULTS` says what share of the 10,000 cases of each format is tried; 0.1 if it is not
 * set, all in `deno task test:faults`.
 */
import assert from "node:assert/strict";
import { damageFormat, FORMATS } from "../nets/files/damage.ts";
import { casesOf } from "./cases.ts";

const CASES = casesOf(10_000);

for (const format of Object.keys(FORMATS)) {
  Deno.test(`${format}: of ${CASES} damaged files each is read right or refused clearly`, async () => {
    const outcomes = await damageFormat(format, CASES);
    assert.deepEqual(outcomes, [], `${outcomes.length} of ${CASES}\n${outcomes.join("\n")}`);
  });
}
