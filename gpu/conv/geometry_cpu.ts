/** The numbers of a convolution without tfjs: the definition of `geometryOf`; and which pixels its taps join. */

import { windowsCpu } from "../kernels/window_cpu.ts";
import type { ConvGeometry, GeometryRequest } from "./geometry.ts";

/** As `geometryOf`; sizes that do not divide are rounded down. */
export function geometryCpu({ shape, filter, attrs, depthwise = false }: GeometryRequest): ConvGeometry | undefined {
  const [batch, inHeight, inWidth, inChannels] = shape as [number, number, number, number];
  const [kernelHeight, kernelWidth, , last] = filter as [number, number, number, number];
  const [strideHeight, strideWidth] = pair(attrs.strides);
  const [dilationHeight, dilationWidth] = pair(attrs.dilations ?? 1);
  if (attrs.dataFormat === "NCHW" || strideHeight !== strideWidth) return undefined;
  const padOf = (axis: 1 | 2) => {
    if (typeof attrs.pad === "number") return [attrs.pad, attrs.pad] as const;
    return typeof attrs.pad === "string" ? attrs.pad : attrs.pad[axis];
  };
  const rows = { window: kernelHeight, stride: strideHeight, dilation: dilationHeight, pad: padOf(1) };
  const columns = { window: kernelWidth, stride: strideWidth, dilation: dilationWidth, pad: padOf(2) };
  const [vertical, horizontal] = [windowsCpu(inHeight, rows), windowsCpu(inWidth, columns)];
  return {
    batch,
    inHeight,
    inWidth,
    inChannels,
    outHeight: vertical.count,
    outWidth: horizontal.count,
    outChannels: depthwise ? inChannels * last : last,
    kernelHeight,
    kernelWidth,
    strideHeight,
    strideWidth,
    dilationHeight,
    dilationWidth,
    padTop: vertical.before,
    padLeft: horizontal.before,
  };
}

/**
 * Calls `visit` with the index of an output pixel, of an input pixel and of the tap of the kernel that joins them: in
 * the order of the outputs, and for each in that of the taps.
 */
export function eachTap(g: ConvGeometry, visit: (output: number, input: number, tap: number) => void): void {
  for (let output = 0; output < g.batch * g.outHeight * g.outWidth; output++) {
    const image = Math.floor(output / (g.outHeight * g.outWidth));
    const [outY, outX] = [Math.floor(output / g.outWidth) % g.outHeight, output % g.outWidth];
    for (let row = 0; row < g.kernelHeight; row++) {
      for (let column = 0; column < g.kernelWidth; column++) {
        const y = outY * g.strideHeight + row * g.dilationHeight - g.padTop;
        const x = outX * g.strideWidth + column * g.dilationWidth - g.padLeft;
        if (y < 0 || y >= g.inHeight || x < 0 || x >= g.inWidth) continue;
        visit(output, (image * g.inHeight + y) * g.inWidth + x, row * g.kernelWidth + column);
      }
    }
  }
}

function pair(value: number | readonly [number, number]): readonly [number, number] {
  return typeof value === "number" ? [value, value] : value;
}
