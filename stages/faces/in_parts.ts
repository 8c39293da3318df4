/** A stage's batch in parts, two at a time: while the device has one, the next is read or the one before written. */

/** How a batch is divided. */
export interface PartOptions<T> {
  /** Items of a part, at most. */
  readonly size: number;
  readonly work: (part: readonly T[]) => Promise<void>;
}

/** Works on all parts, in their order. The first failure ends it when the other part in work has ended too. */
export async function inParts<T>(items: readonly T[], { size, work }: PartOptions<T>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const part = items.slice(next, next += size);
      await work(part).catch((error) => {
        next = items.length;
        throw error;
      });
    }
  };
  const ended = await Promise.allSettled([lane(), lane()]);
  for (const result of ended) if (result.status === "rejected") throw result.reason;
}
