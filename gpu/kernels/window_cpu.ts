/** Where the windows of a convolution or a pooling lie along one axis, by TensorFlow's rules for padding. */

/** A window and how it moves. */
export interface WindowRule {
  /** Elements of the window. */
  readonly window: number;
  readonly stride: number;
  /** Distance between two elements of the window. Default 1. */
  readonly dilation?: number;
  /** "same" gives ⌈size / stride⌉ windows, the odd zero of padding behind; numbers are zeros before and behind. */
  readonly pad: "same" | "valid" | readonly [before: number, behind: number];
}

/** How many windows an axis of so many elements has, and how many zeros stand before it. */
export function windowsCpu(
  size: number,
  { window, stride, dilation = 1, pad }: WindowRule,
): { readonly count: number; readonly before: number } {
  const extent = (window - 1) * dilation + 1;
  if (pad === "same") {
    const count = Math.ceil(size / stride);
    return { count, before: Math.max(0, (count - 1) * stride + extent - size) >> 1 };
  }
  const [before, behind] = pad === "valid" ? [0, 0] : pad;
  return { count: Math.floor((size + before + behind - extent) / stride) + 1, before };
}
