/** Which textures the device makes and destroys, for tests. */

/** Textures that were made since the watch began. */
export interface WatchedTextures extends Disposable {
  readonly made: number;
  /** Those that were not destroyed. */
  readonly living: ReadonlySet<GPUTexture>;
}

/** Watches a device's textures until it is disposed. */
export function watchTextures(device: GPUDevice): WatchedTextures {
  const make = device.createTexture;
  const living = new Set<GPUTexture>();
  let made = 0;
  device.createTexture = (descriptor) => {
    const texture = make.call(device, descriptor);
    const destroy = texture.destroy;
    texture.destroy = () => {
      living.delete(texture);
      destroy.call(texture);
    };
    made++;
    living.add(texture);
    return texture;
  };
  return {
    get made() {
      return made;
    },
    living,
    [Symbol.dispose]() {
      device.createTexture = make;
    },
  };
}
