/**
 * One definition a stage: the key of a stage's result knows its module and its name, so that two definitions of one
 * name in one module would take each other's results.
 */
import type { Stage } from "./contract.ts";
import { PipelineError } from "./errors.ts";

const definitions = new Map<string, Stage>();

/**
 * Notes the definition by which a store's stage runs in this process.
 *
 * @throws {PipelineError} if it ran by another definition before: what differs between the two is in no key
 */
export function checkDefinition(stage: Stage, root: string): void {
  const key = JSON.stringify([root, stage.module, stage.name]);
  const known = definitions.get(key);
  definitions.set(key, known ?? stage);
  if (known === undefined || known === stage) return;
  throw new PipelineError(
    `stage "${stage.name}" is defined twice in ${stage.module}, and the two would share results: define it once, ` +
      "where the module begins, and make what differs between them a parameter",
  );
}
