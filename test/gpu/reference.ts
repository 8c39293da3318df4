// Plain loops in float64 that say what the kernels must compute. Slow and obvious.

/** A dense array with its shape, row-major. */
export interface Dense {
  readonly shape: number[];
  readonly data: Float32Array;
}

/** Shape of a convolution test. */
export interface ConvCase {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly dilation: number;
  readonly pad: "same" | "valid" | [[number, number], [number, number], [number, number], [number, number]];
}

/** A seeded random array, uniform in −0.5..0.5 (mulberry32). */
export function random(shape: number[], seed = 1): Dense {
  let state = seed;
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (state + 0x6D2B79F5) | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296 - 0.5;
  });
  return { shape, data };
}

/** Output size and leading padding along one axis, by TensorFlow's rules. */
export function axis(
  size: number,
  { kernel, stride, dilation, pad }: {
    kernel: number;
    stride: number;
    dilation: number;
    pad: "same" | "valid" | [number, number];
  },
): { out: number; before: number } {
  const extent = (kernel - 1) * dilation + 1;
  if (pad === "same") {
    const out = Math.ceil(size / stride);
    return { out, before: Math.max(0, (out - 1) * stride + extent - size) >> 1 };
  }
  const [before, after] = pad === "valid" ? [0, 0] : pad;
  return { out: Math.floor((size + before + after - extent) / stride) + 1, before };
}

/** Shapes and every (output, input, filter) index triple of a convolution. */
export function walk(
  c: ConvCase,
): { outHeight: number; outWidth: number; visit(see: (o: number, i: number, f: number) => void): void } {
  const explicit = typeof c.pad === "string" ? undefined : c.pad;
  const [kh, kw] = c.kernel;
  const vertical = axis(c.height, { ...c, kernel: kh, pad: explicit ? explicit[1] : c.pad as "same" });
  const horizontal = axis(c.width, { ...c, kernel: kw, pad: explicit ? explicit[2] : c.pad as "same" });
  return {
    outHeight: vertical.out,
    outWidth: horizontal.out,
    visit(see) {
      for (let b = 0; b < c.batch; b++) {
        for (let y = 0; y < vertical.out; y++) {
          for (let x = 0; x < horizontal.out; x++) {
            for (let i = 0; i < kh; i++) {
              const iy = y * c.stride + i * c.dilation - vertical.before;
              if (iy < 0 || iy >= c.height) continue;
              for (let j = 0; j < kw; j++) {
                const ix = x * c.stride + j * c.dilation - horizontal.before;
                if (ix < 0 || ix >= c.width) continue;
                const out = ((b * vertical.out + y) * horizontal.out + x) * c.outChannels;
                const inp = ((b * c.height + iy) * c.width + ix) * c.inChannels;
                for (let n = 0; n < c.inChannels; n++) {
                  const f = ((i * kw + j) * c.inChannels + n) * c.outChannels;
                  for (let m = 0; m < c.outChannels; m++) see(out + m, inp + n, f + m);
                }
              }
            }
          }
        }
      }
    },
  };
}

/** The largest |a − b| over the largest |b|. */
export function relativeError(a: Float32Array, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  let scale = 1e-12;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs((a[i] ?? NaN) - (b[i] ?? NaN));
    if (!(difference <= worst)) worst = difference;
    scale = Math.max(scale, Math.abs(b[i] ?? 0));
  }
  return worst / scale;
}

/** Σ a·b in float64. */
export function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? NaN) * (b[i] ?? NaN);
  return sum;
}
