"""Golden values of LPIPS (version 0.1, AlexNet): the definition in NumPy, float64, on the images of images.py with drawn weights.

Run with: python3 test/golden/lpips.py > test/golden/lpips.json (Python 3.11, NumPy 2.4)
Of the trained weights, read by Python's own pickle, some values and the same images' distances:
python3 test/golden/lpips.py alexnet.ckpt > test/golden/lpips_trained.json
With them the same code gives the distances that the authors print for their example pictures, 0.722 and 0.138:
python3 test/golden/lpips.py alexnet.ckpt ex_ref.png ex_p0.png ex_p1.png (Pillow)
"""

import json
import pickle
import sys

import numpy as np
from images import hashes, pair

KERNELS = [(11, 11, 3, 64), (5, 5, 64, 192), (3, 3, 192, 384), (3, 3, 384, 256), (3, 3, 256, 256)]
SHIFT, SCALE = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])


def drawn():
    """Weights from the hash, each tensor's numbers beginning where those of the one before end; filters keep the features' size."""
    tensors, first = {}, 0
    for n, shape in enumerate(KERNELS):
        for name, shape, scale, low in [
            (f"AlexNet_0.Conv_{n}.kernel", shape, 2 * np.sqrt(6 / np.prod(shape[:3])), -0.5),
            (f"AlexNet_0.Conv_{n}.bias", shape[3:], 0.2, -0.5),
            (f"NetLinLayer_{n}.Conv_0.kernel", (1, 1, shape[3], 1), 1, 0),
        ]:
            size = int(np.prod(shape))
            values = scale * (hashes(size, first) / 2.0**32 + low)
            tensors[name] = values.astype(np.float32).astype(np.float64).reshape(shape)
            first += size
    return tensors


def windows(x, side, stride):
    return np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(0, 1))[::stride, ::stride]


def convolved(x, weights, number, stride, pad):
    kernel, bias = (weights[f"AlexNet_0.Conv_{number}.{part}"] for part in ("kernel", "bias"))
    x = np.pad(x, ((pad, pad), (pad, pad), (0, 0)))
    return np.maximum(0, np.einsum("yxcij,ijco->yxo", windows(x, kernel.shape[0], stride), kernel, optimize=True) + bias)


def features(image, weights):
    x = (2 * image - 1 - SHIFT) / SCALE
    pooled = lambda x: windows(x, 3, 2).max((-1, -2))
    out = [convolved(x, weights, 0, 4, 2)]
    out.append(convolved(pooled(out[-1]), weights, 1, 1, 2))
    out.append(convolved(pooled(out[-1]), weights, 2, 1, 1))
    out.append(convolved(out[-1], weights, 3, 1, 1))
    out.append(convolved(out[-1], weights, 4, 1, 1))
    return out


def maps(a, b, weights):
    unit = lambda x: x / (np.sqrt((x**2).sum(-1, keepdims=True)) + 1e-10)
    for number, (x, y) in enumerate(zip(features(a, weights), features(b, weights))):
        yield (unit(x) - unit(y)) ** 2 @ weights[f"NetLinLayer_{number}.Conv_0.kernel"][0, 0, :, 0]


def enlarged(small, shape):
    """PyTorch's bilinear upsampling with align_corners=False."""
    for axis, size in enumerate(shape):
        cells = small.shape[axis]
        place = np.maximum(0, (np.arange(size) + 0.5) * cells / size - 0.5)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, cells - 1)
        weight = (place - low).reshape([-1 if k == axis else 1 for k in range(2)])
        small = small.take(low, axis) * (1 - weight) + small.take(high, axis) * weight
    return small


def trained(path):
    with open(path, "rb") as file:
        weights = pickle.load(file)
    return {
        f"{net}.{layer}.{name}": np.asarray(values)
        for net, layers in weights.items()
        for layer, parts in layers.items()
        for name, values in parts.items()
    }


def cases(weights):
    for width, height, amplitude in [(64, 64, 20), (93, 71, 60), (224, 224, 25)]:
        a, b, mask = pair(width, height, amplitude)
        layers = list(maps(b, a, weights))
        yield {
            "width": width,
            "height": height,
            "amplitude": amplitude,
            "whole": sum(layer.mean() for layer in layers),
            "masked": sum(enlarged(layer, mask.shape)[mask].mean() for layer in layers),
        }


def told(values):
    """A tensor's shape, ten of its values spread evenly, and the sum of all."""
    flat = values.ravel()
    some = [float(flat[i * (flat.size - 1) // 9]) for i in range(10)]
    return {"shape": values.shape, "some": some, "sum": float(flat.astype(np.float64).sum())}


if len(sys.argv) == 1:
    print(json.dumps(list(cases(drawn())), indent=2))
    sys.exit()
tensors = trained(sys.argv[1])
weights = {name: values.astype(np.float64) for name, values in tensors.items()}
if len(sys.argv) == 2:
    print(json.dumps({"tensors": {name: told(tensors[name]) for name in sorted(tensors)}, "distances": list(cases(weights))}, indent=2))
else:
    from PIL import Image

    first, *others = [np.asarray(Image.open(path).convert("RGB")) / 255 for path in sys.argv[2:]]
    for path, other in zip(sys.argv[3:], others):
        print(path, sum(layer.mean() for layer in maps(first, other, weights)))
