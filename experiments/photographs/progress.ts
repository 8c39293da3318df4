/** What a person sees on a terminal while photographs are computed: what is being done, and how long yet. */
import type { Reporter } from "@ftim/pipeline";
import { activityOf, plainEvent } from "./words.ts";

/** How a progress line is shown. */
interface Screen {
  /** Whether lines can be drawn over; elsewhere only what a person must know is written. */
  readonly live: boolean;
  readonly write: (text: string) => void;
  /** Columns of the terminal. */
  readonly columns: () => number;
}

/** Between two drawings, in ms. */
const PAUSE = 100;
/** Goes to the line's start and clears it. */
export const CLEAR_LINE = "\r\x1b[K";

/** Shows the activity that has most to do, and the time left where earlier runs tell it, or its own pace does. */
export function peopleReporter({ live, write, columns }: Screen): Reporter {
  const running = new Map<string, { readonly from: number; readonly since: number; at: number; total: number }>();
  let [end, last, drawn] = [0, 0, false];
  const wipe = () => {
    if (drawn) write(CLEAR_LINE);
    drawn = false;
  };
  const draw = () => {
    const now = Date.now();
    if (!live || running.size === 0 || now - last < PAUSE) return;
    last = now;
    const [stage, { from, since, at, total }] = [...running].toSorted(([, a], [, b]) =>
      b.total - b.at - a.total + a.at
    )[0]!;
    const pace = at > from ? (now - since) / (at - from) * (total - at) : 0;
    const left = Math.max(end - now, pace) / 1000;
    // without an earlier run only the pace of this step is known
    const of = end === 0 ? " of this step" : "";
    const count = total > 1 ? ` ${at} of ${total}` : "";
    const time = left >= 1 ? `, about ${timeText(left)}${of} left` : "";
    const text = `${activityOf(stage)}${count}${time}`;
    write(`${CLEAR_LINE}${text.slice(0, columns() - 1)}`);
    drawn = true;
  };
  return (event) => {
    const line = plainEvent(event);
    if (line !== null) {
      wipe();
      write(`${line}\n`);
    }
    if (event.type === "estimate") end = Date.now() + 1000 * event.seconds;
    if (event.type === "start" && event.todo > 0) {
      const at = event.total - event.todo;
      running.set(event.stage, { from: at, since: Date.now(), at, total: event.total });
    }
    if (event.type === "items" || event.type === "progress") {
      const stage = running.get(event.stage);
      if (stage !== undefined) stage.at = event.type === "items" ? event.executed + event.cached : event.done;
      if (stage !== undefined) stage.total = event.total;
    }
    if (event.type === "done" || event.type === "failed") running.delete(event.stage);
    if (event.type === "end") {
      running.clear();
      wipe();
    }
    draw();
  };
}

/** "40 s", "3 min". */
function timeText(seconds: number): string {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
