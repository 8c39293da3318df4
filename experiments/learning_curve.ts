/**
 * What more training persons and more steps buy our method, on the validation part of the second sets: nothing of it is
 * a test.
 */
import type { Artifact } from "@ftim/pipeline";
import { learningCurveTable } from "../stages/tables/learning_curve.ts";
import type { EvaluationData } from "./evaluation_data.ts";
import { firstGuess, ourMethod, type TrainingSettings } from "./methods.ts";
import { scorersOf } from "./scoring.ts";

/** What one training differs in; without a number it is the experiment's own. */
export interface CurvePoint {
  readonly persons?: number;
  readonly steps?: number;
}

/** Numbers of persons, at the experiment's own steps. The experiment's own number of persons is a row, too. */
const PERSONS = [8, 16, 34];
/** Steps, with all persons, in place of the experiment's own. */
const STEPS = [60, 120, 480];

/**
 * The table of the learning curve.
 *
 * @param build the experiment's data and settings with so many persons and steps
 * @throws {TypeError} if no true textures are known, for there is no gap then
 */
export function learningCurve(
  build: (point: CurvePoint) => {
    readonly data: EvaluationData;
    readonly settings: TrainingSettings;
    readonly persons: number;
  },
): Artifact<"learning_curve"> {
  const points: CurvePoint[] = [...PERSONS.map((persons) => ({ persons })), {}, ...STEPS.map((steps) => ({ steps }))];
  const trainings = points.map((point) => {
    const { data: { training, test, heldOut }, settings, persons } = build(point);
    const { novel, oracle } = scorersOf({ test, heldOut, model: training.model });
    if (oracle === null) throw new TypeError("The learning curve needs heads whose true textures are known");
    const scores = {
      ours: novel(ourMethod(training, settings)),
      guess: novel(firstGuess(training)),
      oracle: oracle.novel,
    };
    return { name: `persons_${persons}_steps_${settings.steps}`, persons, steps: settings.steps, scores };
  });
  const of = (role: "ours" | "guess" | "oracle") =>
    Object.fromEntries(trainings.map(({ name, scores }) => [name, scores[role]]));
  return learningCurveTable({ ours: of("ours"), guess: of("guess"), oracle: of("oracle") }, {
    trainings: trainings.map(({ name, persons, steps }) => ({ name, persons, steps })),
  });
}
