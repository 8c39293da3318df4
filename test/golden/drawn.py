"""Drawn weights of networks: a formula of a tensor's name and shape, so that drawn.ts makes the very same ones."""

import re

import numpy as np
from images import hashes


def uniform(name, size):
    """Numbers in 0..1 from the hash, beginning where the name says (FNV-1a, 32 bits)."""
    first = 0x811C9DC5
    for byte in name.encode():
        first = ((first ^ byte) * 0x01000193) & 0xFFFFFFFF
    return hashes(size, first) / 2.0**32


def drawn(name, shape):
    """One tensor of a PyTorch state dict, so that features keep their size from layer to layer (He et al. 2015)."""
    size = int(np.prod(shape))
    values = uniform(name, size)
    if len(shape) >= 2:
        values = np.sqrt(6 / (size / shape[0])) * (2 * values - 1)
    elif name.endswith("running_var") or name.endswith("weight"):
        values = 0.5 + values
    else:
        values = 0.4 * (values - 0.5)
    return values.astype(np.float32).reshape(shape)


def is_transposed(name, shape):
    """Whether a variable is the filter of a transposed convolution: [height, width, out, in]. Others have out last."""
    return len(shape) == 4 and re.search(r"(conv2d_transpose(_\d+)?|g_[shl]\d+(_res)?)/kernel$", name) is not None


def drawn_tensorflow(name, shape):
    """One variable of a TensorFlow checkpoint, likewise."""
    size = int(np.prod(shape))
    values = uniform(name, size)
    if len(shape) >= 2:
        values = np.sqrt(6 * shape[2 if is_transposed(name, shape) else -1] / size) * (2 * values - 1)
    elif name.endswith("moving_variance") or name.endswith("gamma"):
        values = 0.5 + values
    else:
        values = 0.4 * (values - 0.5)
    return values.astype(np.float32).reshape(shape)


def state(module, prefix=""):
    """Loads drawn weights into a module of PyTorch; the tensors by the names of its state dict, the prefix in front."""
    import torch

    weights = {
        name: torch.from_numpy(drawn(prefix + name, tuple(tensor.shape)))
        for name, tensor in module.state_dict().items()
        if tensor.dtype == torch.float32
    }
    module.load_state_dict(weights, strict=False)
    module.eval()
    return {prefix + name: list(tensor.shape) for name, tensor in weights.items()}


def compact(values, digits=7):
    """Numbers as one text, which is a third of a JSON array's size once that is formatted; drawn.ts reads it."""
    return " ".join(f"{value:.{digits}g}" for value in np.asarray(values, float).ravel())


def faces(count, size):
    """Pictures [count, size, size, 3] in 0..1: coarse patches with fine noise on them."""
    n, y, x, c = np.meshgrid(np.arange(count), np.arange(size), np.arange(size), np.arange(3), indexing="ij")
    patch = ((n * size + y // 16) * size + x // 16) * 3 + c
    pixel = ((n * size + y) * size + x) * 3 + c
    coarse, fine = hashes(4 * count * size * size)[patch], hashes(pixel.size)[pixel]
    return ((coarse % 200 + fine % 56) / 255).astype(np.float32)
