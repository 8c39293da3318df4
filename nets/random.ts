/**
 * Seeded random numbers as values passed around, never a global: PCG32 (O'Neill 2014, pcg-random.org, "XSH RR 64/32")
 * and normal deviates from it by Box and Muller.
 */

/** Uniform deviates in [0, 1) with 32 bits each. */
export type Random = () => number;

const MULTIPLIER = 6364136223846793005n;
const INCREMENT = 1442695040888963407n;
const MASK = (1n << 64n) - 1n;

/**
 * A generator of uniform deviates.
 *
 * @param seed any integer; equal seeds give equal sequences on every machine
 */
export function uniform(seed: number): Random {
  let state = (INCREMENT + BigInt(Math.trunc(seed))) & MASK;
  const step = () => {
    state = (state * MULTIPLIER + INCREMENT) & MASK;
  };
  step();
  return () => {
    const old = state;
    step();
    const xorshifted = Number(((old >> 18n) ^ old) >> 27n & 0xffffffffn);
    const rotation = Number(old >> 59n);
    return (((xorshifted >>> rotation) | (xorshifted << (-rotation & 31))) >>> 0) / 2 ** 32;
  };
}

/**
 * A generator of standard normal deviates (Box and Muller 1958).
 *
 * @param seed as for {@linkcode uniform}
 */
export function gaussian(seed: number): () => number {
  const random = uniform(seed);
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** A whole number in [0, n). */
export function below(random: Random, n: number): number {
  return Math.floor(random() * n);
}

/** A shuffled copy (Fisher and Yates). */
export function shuffled<T>(random: Random, values: readonly T[]): T[] {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}
