import assert from "node:assert/strict";
import { rankCorrelation } from "../../../../stages/tables/parts/correlation.ts";
import { standardDeviation } from "../../../../stages/tables/parts/mean.ts";

// The definitions of scipy.stats.spearmanr and numpy.std(ddof=1), computed by ten lines of Python
Deno.test("rank correlation and standard deviation are those of the definitions, with equal values", () => {
  assert.ok(Math.abs(rankCorrelation([1, 2, 2, 5, 9], [3, 1, 4, 4, 9]) - 0.7631578947368421) < 1e-12);
  assert.ok(Math.abs(standardDeviation([1, 2, 2, 5, 9]) - 3.271085446759225) < 1e-12);
});

Deno.test("only the order counts for the rank correlation", () => {
  assert.equal(rankCorrelation([1, 2, 3], [10, 100, 1e6]), 1);
  assert.equal(rankCorrelation([1, 2, 3], [3, 2, 1]), -1);
  assert.ok(Number.isNaN(rankCorrelation([1, 1, 1], [3, 2, 1])));
});
