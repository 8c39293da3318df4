/** Where the engine's own modules are. */
import { notCode } from "./not_code.ts";

/** URL of the folder of the engine's modules; it ends in "/". */
export const ENGINE = notCode(new URL(".", import.meta.url)).href;
