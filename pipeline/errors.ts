/** The ways in which a run can end badly, each its own class so that a caller can tell them apart. */

/** What an error is about, where known. */
interface Details {
  readonly cause?: unknown;
}

/** Base of every error that the engine raises on purpose. */
export class PipelineError extends Error {
  override name = "PipelineError";
  constructor(message: string, details: Details = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
  }
}

/** A stage threw, or broke its contract (no output, a path outside its item, …). */
export class StageError extends PipelineError {
  override name = "StageError";
  readonly stage: string;
  readonly items: readonly string[];
  constructor(stage: string, message: string, details: Details & { readonly items?: readonly string[] } = {}) {
    const items = details.items ?? [];
    const where = items.length === 0 ? "" : ` (item ${items.slice(0, 3).join(", ")}${items.length > 3 ? ", …" : ""})`;
    super(`stage "${stage}"${where}: ${message}`, details);
    this.stage = stage;
    this.items = items;
  }
}

/** A source file changed between the moment its hash entered a key and the end of the run. */
export class InputChangedError extends PipelineError {
  override name = "InputChangedError";
  readonly path: string;
  constructor(path: string) {
    super(`${path} changed while a stage was reading it; the result was not recorded. Run again.`);
    this.path = path;
  }
}

/**
 * A stage's code changed between the moment when it was loaded and the end of the run: which version ran is anyone's
 * guess.
 */
export class CodeChangedError extends PipelineError {
  override name = "CodeChangedError";
  /** The modules and packages that changed, by the names that the code digest has for them. */
  readonly changed: readonly string[];
  constructor(
    stage: string,
    changed: readonly string[],
    { when = "run", ahead = 0 }: { readonly when?: "start" | "run"; readonly ahead?: number } = {},
  ) {
    const what = `stage "${stage}": ${changed.join(", ")}`;
    super(
      when === "run"
        ? `${what} changed while the run was on; the result was not recorded. Run again.`
        : ahead > 0
        ? `${what} has a time ${
          Math.ceil(ahead / 1000)
        } s ahead of this machine's clock, and may have been edited after ` +
          `this program had started. Set the clock right, or run it again: what is then unchanged counts as it is.`
        : `${what} was edited after this program had started, which may still run the earlier version; run it again.`,
    );
    this.changed = changed;
  }
}

/** A stored blob no longer has the bytes that its name promises; it was moved to `quarantine/`. */
export class CorruptBlobError extends PipelineError {
  override name = "CorruptBlobError";
  readonly sha256: string;
  constructor(sha256: string) {
    super(`stored object ${sha256} is damaged and was quarantined. Run again: its producer will be recomputed.`);
    this.sha256 = sha256;
  }
}

/** An object that came from elsewhere (an archive, a shared store) is not what its name promises; others may be. */
export class BadObjectError extends PipelineError {
  override name = "BadObjectError";
}

/** The store cannot be written: full or read-only disk. */
export class StoreError extends PipelineError {
  override name = "StoreError";
}

/** The run was interrupted by its signal; what was finished is kept. */
export class AbortedError extends PipelineError {
  override name = "AbortError";
}

/** What something thrown says; anything can be thrown, also what has no text. */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return thrown.message;
    return typeof thrown === "string" ? thrown : `threw ${Deno.inspect(thrown)}, which is no error`;
  } catch {
    return "threw what cannot be looked at without another error";
  }
}

/** An error of the engine's as it is; anything else as the stage's, which keeps it as the cause. */
export function asStageError(thrown: unknown, { stage, what }: { readonly stage: string; readonly what: string }) {
  if (thrown instanceof PipelineError) return thrown;
  return new StageError(stage, `${what}: ${messageOf(thrown)}`, { cause: thrown });
}

/** Whether an error says that a store cannot be written. */
export function isUnwritable(error: unknown): boolean {
  return error instanceof StoreError && / cannot be written /.test(error.message);
}

const UNWRITABLE =
  /EROFS|Read-only file|readonly database|EACCES|Permission denied|Operation not permitted|ENOTDIR|Not a directory/i;

/** Turns "disk full" and "read-only" into a {@link StoreError} that says what to do; passes anything else on. */
export function explainStoreFailure(error: unknown, directory: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const text = `${code} ${error instanceof Error ? error.message : String(error)}`;
  if (/ENOSPC|No space left|disk is full|EDQUOT/i.test(text)) {
    return new StoreError(`no space left on the disk of ${directory}; free some (or run gc), then run again`, {
      cause: error,
    });
  }
  if (UNWRITABLE.test(text)) {
    return new StoreError(`${directory} cannot be written (${text.trim()}); choose another store`, { cause: error });
  }
  return error;
}
