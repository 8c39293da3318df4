/**
 * Reads Python pickles and runs nothing. A pickle is a program that builds objects by calling what it names; here a
 * call only notes down what it would call and with what. A name that is not on the caller's list ends the reading.
 *
 * Ours because no package on npm fits: `jpickle` (0.4.1) knows no persistent ids, which PyTorch's tensors are.
 * `pickleparser` (0.2.1) decodes what Python 2 wrote as text, which the values of FLAME's arrays are, and it builds
 * what it does not know instead of refusing it.
 */
import { INSTRUCTIONS, type Machine, pop } from "./pickle_instructions.ts";
import { cursorOf, CutOffError, TensorFileError } from "./source.ts";

/** What a pickle may hold: tuples, lists and sets are arrays, dictionaries are maps, bytes are views. */
export interface Unpickled {
  readonly value: unknown;
  /** Bytes that the pickle takes. */
  readonly end: number;
}

const STOP = ".".charCodeAt(0);

/**
 * Reads one pickle.
 *
 * @throws {CutOffError} if the bytes end first
 * @throws {TensorFileError} if it is none, or names what is not known
 */
export function unpickle(bytes: Uint8Array<ArrayBuffer>, { knows }: Pick<Machine, "knows">): Unpickled {
  const machine: Machine = { cursor: cursorOf(bytes), knows, stack: [], marks: [], memo: new Map() };
  const { cursor } = machine;
  for (;;) {
    if (cursor.left === 0) throw new CutOffError("it is cut off: its pickle has no end. Get it again");
    const code = cursor.u8();
    if (code === STOP) return { value: pop(machine), end: cursor.at };
    const instruction = INSTRUCTIONS.get(code);
    if (instruction === undefined) {
      throw new TensorFileError(`it is damaged: instruction ${code} at ${cursor.at - 1} is none of a pickle's`);
    }
    instruction(machine);
  }
}
