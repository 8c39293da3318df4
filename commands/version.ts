/** `--version`: what runs here, for bug reports. */
import { gitCommit } from "./facts.ts";

/** "ftim 0.1.0, commit 0123abc…, Deno 2.9.6"; without the commit where there is no repository. */
export function versionText(): string {
  const root = new URL("..", import.meta.url);
  const { version }: { readonly version: string } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));
  const commit = gitCommit(root.pathname);
  return [`ftim ${version}`, ...(commit === null ? [] : [`commit ${commit}`]), `Deno ${Deno.version.deno}`].join(", ");
}
