"""Golden values of the ID-MRF loss: the definition in NumPy, float64, gradients by central differences.

Run with: python3 test/golden/id_mrf.py > test/golden/id_mrf.json (NumPy 2.4)
"""

import json

import numpy as np

H, EPSILON = 0.5, 1e-5


def sample_loss(generated, target):
    """generated, target: [N, C], only the positions that take part."""
    mean = target.mean(0)
    unit = lambda x: x / np.sqrt((x**2).sum(1, keepdims=True) + 1e-8)
    cosine = unit(target - mean) @ unit(generated - mean).T  # [s, p]
    distance = np.maximum(0, (1 - cosine) / 2)
    relative = distance / (distance.min(0, keepdims=True) + EPSILON)
    w = np.exp((1 - relative) / H)
    similarity = w / w.sum(0, keepdims=True)
    return -np.log(similarity.max(1).mean())


def loss(generated, target, inside):
    return np.mean([sample_loss(g[i], t[i]) for g, t, i in zip(generated, target, inside)])


def gradient(generated, target, inside, step=1e-6):
    result = np.zeros_like(generated)
    for at in np.ndindex(generated.shape):
        value = generated[at]
        generated[at] = value + step
        above = loss(generated, target, inside)
        generated[at] = value - step
        below = loss(generated, target, inside)
        generated[at] = value
        result[at] = (above - below) / (2 * step)
    return result


def case(seed, shape, noise, masked):
    """Features like those after a ReLU; `noise`: None for unrelated images, else how far the two are apart."""
    random = np.random.default_rng(seed)
    batch, height, width, channels = shape
    draw = lambda: np.maximum(0, random.normal(0.3, 1, (batch, height * width, channels)))
    target = draw().round(4)
    generated = (draw() if noise is None else target + noise * random.normal(0, 1, target.shape)).round(4)
    inside = random.random((batch, height * width)) < 0.6 if masked else np.ones((batch, height * width), bool)
    return {
        "shape": shape,
        "generated": generated.ravel().tolist(),
        "target": target.ravel().tolist(),
        "inside": inside.astype(int).ravel().tolist(),
        "loss": round(loss(generated, target, inside), 9),
        "gradient": [float(f"{g:.6g}") for g in gradient(generated, target, inside).ravel()],
    }


print(json.dumps({
    "unrelated": case(1, [2, 3, 7, 5], None, False),
    "near": case(2, [1, 4, 4, 6], 0.3, False),
    "masked": case(3, [2, 5, 5, 4], 0.5, True),
}))
