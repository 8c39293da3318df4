"""Golden codes and maps of Chen et al.: an independent NumPy version of the published layers, drawn weights.

Run with: python3 test/golden/chen.py > test/golden/chen.json
Written after `face_model.py` and `vggface.py` of cyj907/unsupervised-detail-layer (683b7ca): `CoarseModel`, `VGGFace`
and `FineModel`. Their code wants TensorFlow 1.15 with an operation of their own; tensorflow_1.py runs what does
without it and finds the same. NumPy; 3 GB of memory.
"""

import json

import numpy as np
from drawn import compact, faces, uniform
from tensorflow_layers import Variables, conv, relu, resize, transposed

EVERY = 397


def pool(x):
    n, height, width, channels = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))


def vgg(v, x):
    """`vggface.py`: `current` is the picture without a mean subtracted, and fc7 is not rectified."""
    name = "CoarseModel/VGGFace/"
    for block, (layers, width) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], 1):
        for layer in range(1, layers + 1):
            one = f"{name}conv{block}_{layer}"
            w = v.read(f"{one}_weight", (3, 3, x.shape[-1], width))
            x = relu(conv(x, w) + v.read(f"{one}_bias", (width,)))
        x = pool(x)
    w = v.read(f"{name}fc6_weight", (7, 7, 512, 4096)).reshape(-1, 4096)
    x = relu(x.reshape(len(x), -1) @ w + v.read(f"{name}fc6_bias", (4096,)))
    return x @ v.read(f"{name}fc7_weight", (1, 1, 4096, 4096))[0, 0] + v.read(f"{name}fc7_bias", (4096,))


def coarse(v, images):
    z = vgg(v, resize(255 * images, 224, 224))
    heads = [("shape", 80), ("exp", 29), ("tex", 80), ("pose", 6), ("illum", 27)]
    codes = [z @ v.read(f"CoarseModel/decoder/para_{name}/kernel", (4096, width)) for name, width in heads]
    codes[-1] = codes[-1] + np.tile([0.3, 0.3] + 7 * [0], 3)
    return np.concatenate(codes, 1)


def fine(v, photograph, render):
    x = (photograph - 127.5) / 127.5 - (render - 127.5) / 127.5

    def layer(kind, number, width):
        name = f"FineModel/{kind}" + (f"_{number}" if number else "")
        shape = (3, 3, width, x.shape[-1]) if kind == "conv2d_transpose" else (3, 3, x.shape[-1], width)
        return v.read(f"{name}/kernel", shape), v.read(f"{name}/bias", (width,))

    across = []
    for number, width in enumerate([16, 32, 64, 128, 256, 512, 512, 512, 512, 512]):
        w, bias = layer("conv2d", number, width)
        x = relu(conv(x, w, 2 if number else 1) + bias)
        across.append(x)
    for number, width in enumerate([512, 512, 512, 512, 256, 128, 64, 32, 16]):
        w, bias = layer("conv2d_transpose", number, width)
        x = relu(transposed(x, w, 2) + bias) + across[-2 - number]
    w, bias = layer("conv2d_transpose", 9, 1)
    return np.tanh(transposed(x, w) + bias)


v = Variables()
codes = coarse(v, faces(2, 300).astype(float))
golden = {"coarse": {"tensors": v.shapes, "codes": [compact(code, 8) for code in codes]}}
v = Variables()
picture = faces(1, 512).astype(float)
render = np.clip(picture + 0.1 * (uniform("render", picture.size).reshape(picture.shape) - 0.5), 0, 1)
displacement = fine(v, 255 * picture, 255 * render.astype(np.float32).astype(float))
golden["fine"] = {"tensors": v.shapes, "every": EVERY, "displacement": compact(displacement.ravel()[::EVERY], 8)}
print(json.dumps(golden))
