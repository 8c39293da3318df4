import assert from "node:assert/strict";
import { pairedMean } from "../../../../stages/tables/parts/paired.ts";

interface Score {
  face: string;
  value: number | null;
}
const options = {
  same: ({ face }: Score) => face,
  of: ({ value }: Score) => value,
  by: ({ face }: Score) => face,
  resamples: 2000,
  seed: 1,
};
const scores = (...values: (number | null)[]): Score[] => values.map((value, i) => ({ face: `${i}`, value }));

Deno.test("a difference that every face shows has a narrow interval, however far the faces are apart", () => {
  const first = scores(10.1, 20.2, 30.1, 40.2, 50.1);
  const second = scores(10, 20, 30, 40, 50).toReversed();
  const { mean, low, high } = pairedMean(first, second, options)!;
  assert.ok(Math.abs(mean - 0.14) < 1e-9, `${mean}`);
  assert.ok(low >= 0.1 - 1e-9 && low < mean && high > mean && high <= 0.2 + 1e-9, `${low} ${high}`);
  const back = pairedMean(second, first, options)!;
  assert.ok(Math.abs(back.mean + mean) < 1e-9);
});

Deno.test("what one of the two lacks is left out, and so are equal pictures", () => {
  const { mean } = pairedMean(scores(1, null, Infinity, 4, 5), scores(0, 1, 2, null), options)!;
  assert.equal(mean, 1);
  assert.equal(pairedMean(scores(null), scores(1), options), null);
  assert.equal(pairedMean([], scores(1), options), null);
});

Deno.test("views of one head are resampled together", () => {
  const first = [...scores(1, 1, 1, 1), ...scores(9, 9, 9, 9).map((score, i) => ({ ...score, face: `${i + 4}` }))];
  const second = first.map((score) => ({ ...score, value: 0 }));
  const by = ({ face }: Score) => (Number(face) < 4 ? "a" : "b");
  const { low, high } = pairedMean(first, second, { ...options, by })!;
  assert.deepEqual([low, high], [1, 9]);
});
