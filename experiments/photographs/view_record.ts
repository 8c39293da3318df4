/** What a result says of each of several photographs of one person. */

/** One of the photographs that a face was made of. */
export interface ViewRecord {
  /** What the user called it: a path, or what stands for standard input. */
  readonly photo: string;
  /** How the head is turned in it, degrees. */
  readonly yaw: number;
  /** The share of what was seen which the texture has from it, 0..1. */
  readonly share: number;
}
