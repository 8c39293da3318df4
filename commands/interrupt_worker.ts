/** The thread of interrupt.ts. A worker cannot exit the process in Deno, so it calls the C library's `_exit`. */
/// <reference lib="deno.worker" />
import { PATIENCE } from "./interrupt.ts";

const LIBRARIES: Readonly<Partial<Record<typeof Deno.build.os, string>>> = {
  linux: "libc.so.6",
  darwin: "libSystem.B.dylib",
};

/** Exit status after an interruption, as shells use it. */
const INTERRUPTED = 130;

self.addEventListener("message", ({ data: kept }: MessageEvent<Int32Array>) => {
  const library = LIBRARIES[Deno.build.os];
  if (library === undefined) return self.close();
  const { symbols } = Deno.dlopen(library, { _exit: { parameters: ["i32"], result: "void" } });
  const end = () => {
    console.error(`\ninterrupted: ${Atomics.load(kept, 0)} results of this run are kept; run again to go on`);
    symbols._exit(INTERRUPTED);
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => setTimeout(end, PATIENCE));
});
