/** Numbers that a caller gives. NaN passes every comparison the wrong way, so it is refused where it comes in. */

/** What an amount is called in messages, and which numbers it may be. */
export interface AmountOptions {
  readonly name: string;
  /** The smallest. */
  readonly least: number;
  /** Whether it must be a whole number. */
  readonly whole?: boolean;
  /** Whether it may be without end. */
  readonly endless?: boolean;
}

/** Throws a TypeError that names the amount and what it is, unless it is undefined or a number that it may be. */
export function checkAmount(value: unknown, { name, least, whole = false, endless = false }: AmountOptions): void {
  if (value === undefined) return;
  const fits = typeof value === "number" && value >= least &&
    (endless && value === Infinity || (whole ? Number.isSafeInteger(value) : Number.isFinite(value)));
  if (fits) return;
  const wanted = `${whole ? "a whole number" : "a number"} from ${least}${endless ? ", or Infinity" : ""}`;
  throw new TypeError(`${name} must be ${wanted}, not ${String(value)}`);
}
