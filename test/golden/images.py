"""The image pairs of the golden values, a formula in whole numbers, so that images.ts makes the very same ones."""

import numpy as np


def hashes(n, first=0):
    """32-bit integer hash (Wellons' lowbias32) of first..first+n-1."""
    m = np.uint64(0xFFFFFFFF)
    x = (np.arange(n, dtype=np.uint64) + np.uint64(first)) & m
    x ^= x >> np.uint64(16)
    x = (x * np.uint64(0x7FEB352D)) & m
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(0x846CA68B)) & m
    x ^= x >> np.uint64(16)
    return x.astype(np.int64)


def pair(width, height, amplitude):
    """Two images [height, width, 3] in 0..1 and a mask [height, width]."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    a = (x * 3 + y * 2 + c * 40 + (x // 7 + y // 5) % 2 * 60) % 256
    noise = hashes(a.size).reshape(a.shape) % (2 * amplitude + 1) - amplitude
    b = np.clip(a + noise + (x > width // 2) * 4, 0, 255)
    mask = (x[..., 0] - width // 2) ** 2 * 4 + (y[..., 0] - height // 2) ** 2 * 2 < (width * width) // 4
    return a / 255, b / 255, mask
