/**
 * Trainings of one network that differ in nothing but their seed, numbered from 1. Stages that compare them have an
 * input for each.
 *
 * @module
 */

/** Their numbers. */
export const TRAININGS = [1, 2, 3, 4, 5, 6, 7, 8] as const;
/** The number of a training. */
export type Training = typeof TRAININGS[number];
/** Most trainings that can be compared. */
export const MOST_TRAININGS = TRAININGS.length;
