/** A worker thread that opens one network and runs it: see onnx_threads.ts. */
/// <reference lib="deno.worker" />
import { type Answer, type Network, openOnThisThread, type Request } from "./onnx_threads.ts";

// ONNX Runtime 1.30 resolves its own address against this origin, which a worker from a file has not, and fails;
// without a location it does not try.
if (self.location.origin === "null") Object.defineProperty(self, "location", { value: undefined });

// The runtime keeps its compiled code to itself; see `compiled` in onnx_threads.ts.
let code: WebAssembly.Module | undefined;
const { instantiate } = WebAssembly;
Object.assign(WebAssembly, {
  async instantiate(bytes: BufferSource, imports?: WebAssembly.Imports) {
    const made = await instantiate(bytes, imports);
    code = made.module;
    return made;
  },
});

let network: Network | undefined;

async function answer(request: Request): Promise<Answer> {
  try {
    if ("feeds" in request) {
      if (network === undefined) throw new TypeError("the network was not opened");
      return { outputs: await network.run(request.feeds) };
    }
    const { inputNames, outputNames } = network = await openOnThisThread(request.model);
    return { opened: { inputNames, outputNames }, code };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

// One after the other, so that answers keep the order of the requests.
let last: Promise<void> = Promise.resolve();
self.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  last = last.then(async () => self.postMessage(await answer(data)));
});
