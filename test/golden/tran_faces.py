"""Golden faces of Tran et al.: an independent NumPy version of their rendering, on a drawn mesh (tran_drawn.ts).

Run with: python3 test/golden/tran_faces.py > test/golden/tran_faces.json
Written after `rendering_ops.py` and `_3dmm_utils.py` of tranluan/Nonlinear_Face_3DMM (662098a): `bilinear_sampler`,
`_DEPRECATED_compute_normal`, `generate_shade`, `shading`, `compute_landmarks` and the depth of `warp_texture`. Their
code wants TensorFlow 1.8 with an operation of their own; tensorflow_1.py runs what does without it and finds the same.
NumPy, double precision.
"""

import json

import numpy as np
from drawn import compact, uniform

ROWS, COLUMNS, HEIGHT, WIDTH, SIZE = 30, 36, 192, 224, 224
TOP, LEFT, DOWN, ACROSS = 6, 5, 180, 210
V, F = ROWS * COLUMNS, 2 * (ROWS - 1) * (COLUMNS - 1)


def spread(name, shape, scale):
    return (scale * (uniform(name, int(np.prod(shape))) - 0.5)).astype(np.float32).reshape(shape).astype(float)


# the mesh: a bent sheet, whose triangles are wound the wrong way round
r, c = (part.ravel() for part in np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij"))
turn, height = (c / (COLUMNS - 1) - 0.5) * 2.4, r / (ROWS - 1)
radius = 8e4 * (1 - 0.3 * (2 * height - 1) ** 2)
sheet = np.stack([radius * np.sin(turn), (0.5 - height) * 1.8e5, radius * np.cos(turn) - 2e4], 1)
mean = sheet.astype(np.float32).astype(float) + spread("mu_shape", (V, 3), 500) + spread("mu_exp", (V, 3), 800)
places = np.stack([TOP + r * DOWN / (ROWS - 1), LEFT + c * ACROSS / (COLUMNS - 1)], 1).astype(np.float32).astype(float)
a = (np.arange(ROWS - 1)[:, None] * COLUMNS + np.arange(COLUMNS - 1)).ravel()
tri = np.stack([a, a + 1, a + COLUMNS, a + 1, a + COLUMNS + 1, a + COLUMNS], 1).reshape(F, 3)
i, j = (part.ravel() for part in np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), indexing="ij"))
rr, cc = (i - TOP) * (ROWS - 1) / DOWN, (j - LEFT) * (COLUMNS - 1) / ACROSS
inside = (rr >= 0) & (rr <= ROWS - 1) & (cc >= 0) & (cc <= COLUMNS - 1)
r0, c0 = np.clip(np.floor(rr), 0, ROWS - 2).astype(int), np.clip(np.floor(cc), 0, COLUMNS - 2).astype(int)
fr, fc = rr - r0, cc - c0
upper = fr + fc <= 1
texel = 2 * (r0 * (COLUMNS - 1) + c0) + ~upper
weights = np.where(
    upper[:, None], np.stack([1 - fr - fc, fc, fr], 1), np.stack([1 - fr, fr + fc - 1, 1 - fc], 1)
) * inside[:, None]
weights = weights.astype(np.float32).astype(float)

maps, albedo = spread("map", (2, HEIGHT, WIDTH, 3), 0.2), uniform("albedo", 2 * HEIGHT * WIDTH * 3)
albedo = albedo.astype(np.float32).astype(float).reshape(2, HEIGHT, WIDTH, 3)
light = spread("light", (2, 3, 9), 1) + np.array([3] + 8 * [0])
mean_m = np.array([9e-4, 2e-5, -3e-5, 9e-4, 1e-4, -5e-5, 112, 110])
std_m = np.array([1e-4, 5e-5, 5e-5, 1e-4, 3e-4, 1e-4, 8, 8])
cameras = spread("camera", (2, 8), 3) * std_m + mean_m


def bilinear(image, x, y):
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    x1, y1 = np.clip(x0 + 1, 0, WIDTH - 1), np.clip(y0 + 1, 0, HEIGHT - 1)
    x0, y0 = np.clip(x0, 0, WIDTH - 1), np.clip(y0, 0, HEIGHT - 1)
    parts = ((x1 - x) * (y1 - y), image[y0, x0]), ((x1 - x) * (y - y0), image[y1, x0])
    parts += ((x - x0) * (y1 - y), image[y0, x1]), ((x - x0) * (y - y0), image[y1, x1])
    return sum(weight[:, None] * value for weight, value in parts)


def unit(x):
    return x / np.sqrt(np.maximum((x * x).sum(-1, keepdims=True), 1e-12))


def shading(bands, n):
    x, y, z = n.T
    pi = np.pi
    first, second = (2 * pi / 3) * np.sqrt(3 / (4 * pi)), (pi / 4) * np.sqrt(5 / (12 * pi))
    basis = [
        np.full_like(x, 1 / np.sqrt(4 * pi)),
        first * z,
        first * y,
        first * x,
        (pi / 4) * 0.5 * np.sqrt(5 / (4 * pi)) * (2 * z * z - x * x - y * y),
        3 * second * y * z,
        3 * second * x * z,
        3 * second * x * y,
        1.5 * second * (x * x - y * y),
    ]
    return np.stack(basis, 1) @ bands.T


def face(index):
    shape = bilinear(maps[index], places[:, 1], places[:, 0]) * 1e4 + mean
    corners = shape[tri]
    flat = unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    normal = np.zeros((V, 3))
    for corner in range(3):
        np.add.at(normal, tri[:, corner], flat)
    normal = unit(normal)
    along = ((shape - shape.mean(0)) * normal).sum(0)
    sign = 1 if (along > 0).sum() > (along < 0).sum() else -1
    m = cameras[index].reshape(4, 2).T
    right, up = unit(m[0, :3]), unit(m[1, :3])
    turned = sign * normal @ np.stack([right, up, np.cross(right, up)]).T
    n = (turned[tri[texel]] * weights[:, :, None]).sum(1)
    texture = np.clip(albedo[index].reshape(-1, 3) * shading(light[index], n), 0, 1)
    projected = np.concatenate([shape, np.ones((V, 1))], 1) @ m.T
    column, row = projected[:, 0] - 1, SIZE - projected[:, 1]
    depth = shape @ np.cross(right, up) * np.linalg.norm(m[0, :3])
    colours = bilinear(texture.reshape(HEIGHT, WIDTH, 3), places[:, 1], places[:, 0])
    # a pixel's centre is at its number plus a half
    return np.stack([column + 0.5, row + 0.5, -depth], 1), texture, colours, sign


faces = [face(index) for index in range(2)]
assert all(sign == -1 for *_, sign in faces)
print(
    json.dumps(
        {
            "every": {"vertices": 5, "texture": 307, "colours": 5},
            "vertices": [compact(v.ravel()[::5], 8) for v, *_ in faces],
            "texture": [compact(t.ravel()[::307], 8) for _, t, *_ in faces],
            "colours": [compact(k.ravel()[::5], 8) for _, _, k, _ in faces],
        }
    )
)
