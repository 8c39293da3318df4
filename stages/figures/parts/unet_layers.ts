/**
 * The layers of FTIM's network, in the order in which they run, from nothing but the names and shapes of its trained
 * parameters (`nets/unet.ts`): a figure that is drawn from them shows the network that was trained.
 */

/** Maps that a layer gives. */
export interface UnetLayer {
  /** As its parameters are called: `down0`, `latent`, `up3`, `full`, `output`; `maps` are what the network reads. */
  readonly name: string;
  /** Side in texels. */
  readonly side: number;
  readonly channels: number;
  /** Whose maps it reads too, beside those of the layer before it. */
  readonly skip?: string;
}

/** A network. */
export interface UnetLayers {
  /** From the maps that it reads on. */
  readonly layers: readonly UnetLayer[];
  /** Values of the code, expression and pose. */
  readonly codeLength: number;
  /** Sides of the convolutions' kernels. */
  readonly kernels: ReadonlySet<number>;
}

/** Parameters of which only the shapes count. */
export type Shapes = Readonly<Record<string, { readonly shape: readonly number[] }>>;

/**
 * Reads the layers.
 *
 * @param parameters of one network, by name
 * @param options.side of the maps that it reads
 * @throws {TypeError} where a parameter is of no layer that is known here, or two layers do not fit together
 */
export function unetLayers(parameters: Shapes, { side }: { side: number }): UnetLayers {
  const left = new Set(Object.keys(parameters));
  /** The shape of a parameter, which is then dealt with. */
  const take = (name: string, dimensions: number): readonly number[] => {
    const shape = parameters[name]?.shape;
    if (shape?.length !== dimensions) {
      throw new TypeError(`Cannot draw the network: "${name}" has shape [${shape}], not ${dimensions} dimensions`);
    }
    left.delete(name);
    return shape;
  };
  const layers: UnetLayer[] = [];
  const kernels = new Set<number>();
  const fit = (name: string, [from, expected]: readonly [number, number]) => {
    if (from === expected) return;
    throw new TypeError(`Cannot draw the network: "${name}" reads ${from} channels, and ${expected} come before it`);
  };
  /** The channels that a convolution reads and gives. */
  const filter = (name: string): [from: number, to: number] => {
    const [height, width, from, to] = take(name, 4) as [number, number, number, number];
    kernels.add(height).add(width);
    return [from, to];
  };
  /** Adds a convolution of the maps before it. */
  const convolution = (name: string, { scale }: { scale: number }) => {
    const { side, channels } = layers.at(-1)!;
    const [from, to] = filter(`${name}.weight`);
    fit(`${name}.weight`, [from, channels]);
    layers.push({ name, side: side * scale, channels: to });
  };
  /** Adds a convolution of the maps before it, doubled, beside earlier ones of that size. */
  const join = (name: string) => {
    const before = layers.at(-1)!;
    const skip = layers.find((layer) => layer.side === 2 * before.side);
    if (skip === undefined) throw new TypeError(`Cannot draw the network: nothing has the size that "${name}" joins`);
    const [coarse, to] = filter(`${name}.coarse`);
    const [fine, same] = filter(`${name}.skip`);
    fit(`${name}.coarse`, [coarse, before.channels]);
    fit(`${name}.skip`, [fine, skip.channels]);
    fit(`${name}.skip`, [same, to]);
    layers.push({ name, side: skip.side, channels: to, skip: skip.name });
  };
  const scaled = (name: string) => ["gamma", "beta"].forEach((part) => take(`${name}.${part}`, 1));
  const levels = Object.keys(parameters).filter((name) => /^down\d+\.weight$/.test(name)).length;

  layers.push({ name: "maps", side, channels: parameters["down0.weight"]?.shape[2] ?? 0 });
  for (let level = 0; level < levels; level++) {
    convolution(`down${level}`, { scale: 1 / 2 });
    scaled(`down${level}`);
  }
  convolution("latent", { scale: 1 });
  scaled("latent");
  const [codeLength, shifted] = take("code.weight", 2) as [number, number];
  take("code.bias", 1);
  fit("code.weight", [shifted, layers.at(-1)!.channels]);
  for (let level = levels - 2; level >= 0; level--) {
    join(`up${level}`);
    scaled(`up${level}`);
  }
  join("full");
  scaled("full");
  convolution("output", { scale: 1 });
  take("output.bias", 1);
  if (left.size > 0) {
    throw new TypeError(`Cannot draw the network: no layer has the parameters ${[...left].join(", ")}`);
  }
  return { layers, codeLength, kernels };
}
