"""TensorFlow's layers in NumPy and double precision, for networks whose code wants TensorFlow 1.

They are independent of this project's code and of TensorFlow, from whose documentation they are written.
"""

import numpy as np
from drawn import drawn_tensorflow


class Variables:
    """Variables of a checkpoint, drawn when they are first read; `shapes` tells which were read."""

    def __init__(self):
        self.shapes = {}

    def read(self, name, shape):
        assert self.shapes.setdefault(name, list(shape)) == list(shape), name
        return drawn_tensorflow(name, shape).astype(float)


def same(size, kernel, stride):
    """Zeros before, and how many results: what is odd is put behind."""
    results = -(-size // stride)
    return max((results - 1) * stride + kernel - size, 0) // 2, results


def conv(x, w, stride=1):
    """x [N, H, W, I], w [h, w, I, O]."""
    (top, rows), (left, columns) = (same(x.shape[1 + a], w.shape[a], stride) for a in (0, 1))
    padded = np.pad(x, ((0, 0), (top, w.shape[0]), (left, w.shape[1]), (0, 0)))
    out = np.zeros((len(x), rows, columns, w.shape[3]))
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            out += padded[:, i : i + stride * rows : stride, j : j + stride * columns : stride][:, :rows, :columns] @ w[i, j]
    return out


def transposed(x, w, stride=1):
    """x [N, H, W, I], w [h, w, O, I]: the gradient of a convolution from the larger picture to the smaller one."""
    n, rows, columns, _ = x.shape
    height, width = rows * stride, columns * stride
    top, left = same(height, w.shape[0], stride)[0], same(width, w.shape[1], stride)[0]
    full = np.zeros((n, height + 2 * w.shape[0], width + 2 * w.shape[1], w.shape[2]))
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            full[:, i : i + height : stride, j : j + width : stride] += x @ w[i, j].T
    return full[:, top : top + height, left : left + width]


def norm(variables, x, name, epsilon=1e-5):
    """`tf.contrib.layers.batch_norm` with `scale=True`, not in training."""
    gamma, beta, mean, variance = (
        variables.read(f"{name}/{part}", (x.shape[-1],)) for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


def elu(x):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def relu(x):
    return np.maximum(x, 0)


def resize(x, height, width):
    """`tf.image.resize_images` of TensorFlow 1: bilinear, pixels at their corners."""
    for axis, size in ((1, height), (2, width)):
        place = np.arange(size) * (x.shape[axis] / size)
        low = np.floor(place).astype(int)
        share = (place - low).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
        high = np.minimum(low + 1, x.shape[axis] - 1)
        x = np.take(x, low, axis) * (1 - share) + np.take(x, high, axis) * share
    return x
