/**
 * What a change of our training buys, on the validation part of the second sets: more persons, more steps, captures in
 * which hair or a hand covers a part of the face, captures that are lit from one side. Nothing of it is a test.
 */
import type { Artifact } from "@ftim/pipeline";
import { trainingGains } from "../stages/tables/training_gains.ts";
import type { Hardships } from "./embedded_data.ts";
import type { EvaluationData } from "./evaluation_data.ts";
import { firstGuess, ourMethod, type TrainingSettings } from "./methods.ts";
import { scorersOf } from "./scoring.ts";

/** What one training differs in; without a number it is the experiment's own. */
export interface CurvePoint {
  readonly persons?: number;
  readonly steps?: number;
  /** How many heads the training's captures are of. */
  readonly identities?: number;
  /** Of the training's captures. */
  readonly trained?: Hardships;
  /** Of the heads that are scored. */
  readonly scored?: Hardships;
}

/** The experiment at a point. */
type Build = (point: CurvePoint) => {
  readonly data: EvaluationData;
  readonly settings: TrainingSettings;
  readonly persons: number;
};

/** Numbers of persons, at the experiment's own steps. The experiment's own number of persons is a row, too. */
const PERSONS = [8, 16, 34];
/** Steps, with all persons, in place of the experiment's own. */
const STEPS = [60, 120, 480];

/**
 * The table of the learning curve.
 *
 * @throws {TypeError} if no true textures are known, for there is no gap then
 */
export function learningCurve(build: Build): Artifact<"training_gains"> {
  const points: CurvePoint[] = [...PERSONS.map((persons) => ({ persons })), {}, ...STEPS.map((steps) => ({ steps }))];
  return gains(
    points.map((point) => {
      const made = build(point);
      return { ...made, label: `${made.persons} persons, ${made.settings.steps} steps` };
    }),
    { name: "learning_curve", title: "What more training persons and more steps buy" },
  );
}

/** Captures to train on, of fewer heads than the experiment's own so that it takes less time, and heads to score. */
const HEADS = 48;
const TRAINED: Readonly<Record<string, Hardships>> = {
  "plain captures": {},
  "a third with a covered face": { covered: 0.33 },
  "a third lit from one side": { sideLit: 0.33 },
};
const SCORED: Readonly<Record<string, Hardships>> = {
  "plain heads": {},
  "covered heads": { covered: 1 },
  "heads lit from one side": { sideLit: 1 },
};

/**
 * The same for captures that are harder than ours. Trained on covered faces ours gains more on covered heads. In the
 * real views of the validation person, though, its gain over the first guess on revealed pixels falls from 0.31 dB to
 * -0.03, so the experiment trains on plain captures.
 *
 * @throws {TypeError} as `learningCurve`
 */
export function harderCaptures(build: Build): Artifact<"training_gains"> {
  const rows = Object.entries(SCORED).flatMap(([heads, scored]) =>
    Object.entries(TRAINED).map(([captures, trained]) => ({
      ...build({ identities: HEADS, trained, scored }),
      label: `${captures}; ${heads}`,
    }))
  );
  return gains(rows, { name: "harder_captures", title: "What training on harder captures buys" });
}

/** The table of some trainings. */
function gains(
  rows: readonly (ReturnType<Build> & { readonly label: string })[],
  table: { readonly name: string; readonly title: string },
): Artifact<"training_gains"> {
  const trainings = rows.map(({ data: { training, test, heldOut }, settings, label }, i) => {
    const { novel, oracle } = scorersOf({ test, heldOut, model: training.model });
    if (oracle === null) throw new TypeError("What a training gains needs heads whose true textures are known");
    const scores = {
      ours: novel(ourMethod(training, settings)),
      guess: novel(firstGuess(training)),
      oracle: oracle.novel,
    };
    return { name: `row_${i + 1}`, label, scores };
  });
  const of = (role: "ours" | "guess" | "oracle") =>
    Object.fromEntries(trainings.map(({ name, scores }) => [name, scores[role]]));
  return trainingGains({ ours: of("ours"), guess: of("guess"), oracle: of("oracle") }, {
    ...table,
    trainings: trainings.map(({ name, label }) => ({ name, label })),
  });
}
