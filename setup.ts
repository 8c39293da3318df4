/**
 * The task `setup`, on which every other task depends: makes sure that there is a WebGPU adapter. A machine with a GPU
 * driver has one; a bare container does not, and gets Mesa's software Vulkan driver, on which the same code runs
 * (slower). A container with software OpenGL alone gets it too: kernels compile for seconds there, run a third slower
 * and have no half floats.
 *
 * It needs `--allow-run=apt-get --allow-sys=uid` and nothing else, and is silent and done in a fraction of a second
 * when all is well.
 */

/** An adapter. */
export interface Found {
  readonly description: string;
  /** A software adapter through OpenGL: better than none. */
  readonly makeshift: boolean;
}

/** What `setup` does to the machine, replaceable for tests. */
export interface Machine {
  /** A WebGPU adapter, or null. Looks afresh each time, so that it sees a driver that was just installed. */
  findAdapter(): Promise<Found | null>;
  /** "linux", "darwin", "windows", …. */
  readonly os: string;
  /** Whether packages may be installed. */
  isRoot(): boolean;
  /**
   * Runs apt-get to the end, its output shown.
   *
   * @returns its exit code, or null if there is no apt-get
   */
  aptGet(args: readonly string[]): Promise<number | null>;
  print(line: string): void;
}

const PACKAGE = "mesa-vulkan-drivers";
const TYPE_THIS = `Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${PACKAGE}
Fedora:          sudo dnf install -y ${PACKAGE}
Arch:            sudo pacman -S --needed vulkan-swrast`;

/**
 * Finds an adapter, or installs the software driver, or says what to type.
 *
 * @returns the exit code: 0 if there is an adapter in the end
 */
export async function setup(machine: Machine): Promise<number> {
  const present = await machine.findAdapter();
  if (present !== null && !(present.makeshift && machine.os === "linux")) return 0;
  if (present !== null) {
    // whatever becomes of the driver, there is an adapter to go on with
    if (machine.isRoot()) await install(machine, `Only ${present.description} through OpenGL was found`);
    else machine.print(`${present.description} through OpenGL works, but Vulkan is faster; type:\n${TYPE_THIS}`);
    return 0;
  }
  if (machine.os !== "linux") {
    machine.print(
      `No WebGPU adapter was found. On ${machine.os} it comes with the graphics driver: ` +
        `update that, then run this again.`,
    );
    return 1;
  }
  if (!machine.isRoot()) {
    machine.print(
      `No WebGPU adapter was found. Install your GPU's Vulkan driver, or Mesa's software one; type:\n${TYPE_THIS}`,
    );
    return 1;
  }
  return await install(machine, "No WebGPU adapter was found");
}

/** Installs the software driver and looks again. */
async function install(machine: Machine, why: string): Promise<number> {
  machine.print(`${why}; installing Mesa's software Vulkan driver (${PACKAGE}) …`);
  // Old package lists may still do, so only a failed installation is an error.
  const updated = await machine.aptGet(["update", "-q"]);
  const installed = updated === null
    ? null
    : await machine.aptGet(["install", "-q", "-y", "--no-install-recommends", PACKAGE]);
  if (installed === null) {
    machine.print(`There is no apt-get here. Install a Vulkan driver another way:\n${TYPE_THIS}`);
    return 1;
  }
  if (installed !== 0) {
    machine.print(`apt-get ended with ${installed}; its message is above. Once that is mended, run this again.`);
    return 1;
  }
  const adapter = await machine.findAdapter();
  if (adapter === null) {
    machine.print(
      `${PACKAGE} is installed, but there is still no WebGPU adapter. See what "vulkaninfo --summary" says.`,
    );
    return 1;
  }
  machine.print(`Ready: ${adapter.description}.`);
  return 0;
}

/** The machine that this runs on. */
export function thisMachine(): Machine {
  let asked = false;
  return {
    os: Deno.build.os,
    isRoot: () => Deno.uid() === 0,
    findAdapter() {
      // wgpu lists the drivers once per thread: the first answer is from here, which is quickest, a later one from a
      // new thread.
      if (asked) return findInWorker();
      asked = true;
      return findHere();
    },
    async aptGet(args) {
      try {
        const command = new Deno.Command("apt-get", {
          args: [...args],
          env: { DEBIAN_FRONTEND: "noninteractive" },
          stdin: "null",
          stdout: "inherit",
          stderr: "inherit",
        });
        return (await command.output()).code;
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return null;
        throw error;
      }
    },
    print: (line) => console.error(line),
  };
}

async function findHere(): Promise<Found | null> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return null;
  const { description, vendor, isFallbackAdapter } = adapter.info;
  return {
    description: description || vendor || "unnamed adapter",
    // WebGPU does not name the interface below it; Mesa's software Vulkan has this feature and its OpenGL has not
    makeshift: isFallbackAdapter && !adapter.features.has("float32-filterable"),
  };
}

async function findInWorker(): Promise<Found | null> {
  const code = `const find = ${findHere};\npostMessage(await find());`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`Cannot look for an adapter: ${event.message}`));
      };
    });
  } finally {
    worker.terminate();
  }
}

if (import.meta.main) Deno.exit(await setup(thisMachine()));
