/** A process that is about to replace a file: it says the temporary name and waits to be killed. */
import { dirname } from "node:path";
import { temporaryIn } from "../../pipeline/temporary.ts";

using temporary = temporaryIn(dirname(Deno.args[0] ?? ""));
Deno.writeTextFileSync(temporary.path, "half");
console.log(temporary.path);
await new Promise((resolve) => setTimeout(resolve, 60_000));
