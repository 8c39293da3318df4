"""Golden faces of Chen et al.: an independent NumPy version of their geometry and light, on a drawn model.

Run with: python3 test/golden/chen_faces.py > test/golden/chen_faces.json
Written after `basis_utils.py` and `render_utils.py` of cyj907/unsupervised-detail-layer (683b7ca): `get_geometry`,
`get_texture`, `calc_trans_matrix`, `project`, `get_ver_norm`, `_ortho_trans_image` and `_harmonics`; and, for the
detail, after `uv_utils.py` and the fine part of `build_model`, without the random shifts of the chart. chen_drawn.ts
draws the same model. tensorflow_1.py runs the authors' camera, normals and light and finds the same; the
detail's rasteriser is an operation of their own and was not run. NumPy, double precision.
"""

import json

import numpy as np
from drawn import compact, faces, uniform

ROWS, COLUMNS, SIZE = 20, 25, 300
V = ROWS * COLUMNS


def spread(name, shape, scale):
    return (scale * (uniform(name, int(np.prod(shape))) - 0.5)).astype(np.float32).reshape(shape).astype(float)


r, c = (part.ravel() for part in np.meshgrid(np.arange(ROWS), np.arange(COLUMNS), indexing="ij"))
turn, height = (c / (COLUMNS - 1) - 0.5) * 2.6, r / (ROWS - 1)
sheet = np.stack([60 * np.sin(turn), (0.5 - height) * 150, 60 * np.cos(turn)], 1).astype(np.float32).astype(float)
a = (np.arange(ROWS - 1)[:, None] * COLUMNS + np.arange(COLUMNS - 1)).ravel()
tri = np.stack([a, a + COLUMNS, a + 1, a + 1, a + COLUMNS, a + COLUMNS + 1], 1).reshape(-1, 3)
model = {
    "mu_shape": sheet.ravel(),
    "mu_exp": spread("mu_exp", 3 * V, 1),
    "mu_tex": 150 + spread("mu_tex", 3 * V, 60),
    "bases_shape": spread("bases_shape", (3 * V, 199), 0.1),
    "bases_exp": spread("bases_exp", (3 * V, 29), 0.1),
    "bases_tex": spread("bases_tex", (3 * V, 199), 6),
    "sigma_shape": 1 + spread("sigma_shape", 199, 1),
    "sigma_exp": 1 + spread("sigma_exp", 29, 1),
    "sigma_tex": 1 + spread("sigma_tex", 199, 1),
}
bases = {name: model[f"bases_{name}"] * model[f"sigma_{name}"] for name in ("shape", "exp", "tex")}
codes = {"shape": spread("shape", (2, 80), 4), "exp": spread("expression", (2, 29), 4), "tex": spread("albedo", (2, 80), 4)}
poses = np.array([[0.1, -0.4, 0.05, 6, -9, 0.1], [-0.2, 0.8, -0.1, -12, 4, -0.15]]).astype(np.float32).astype(float)
light = spread("light", (2, 3, 9), 0.6) + np.array([2.6] + 8 * [0])


# the chart: whole numbers, as the authors' file has them; a part of it is the detailed mesh
places = np.stack([60 + r * 400 // (ROWS - 1), 50 + c * 410 // (COLUMNS - 1)], 1)
CHART, EVERY, PART = 512, 1009, (slice(100, 180), slice(120, 220))
moved = uniform("moved", V).astype(np.float32).astype(float)


def light_of(camera, triangles, bands):
    """Normals and what light is on them, [N, 3]."""
    corners = camera[triangles]
    flat, normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), np.zeros((len(camera), 3))
    for corner in range(3):
        np.add.at(normal, triangles[:, corner], flat)
    n = normal / np.sqrt(np.maximum((normal**2).sum(1, keepdims=True), 1e-12))
    x, y, z = n.T
    one, three, fifteen = np.sqrt(1 / (4 * np.pi)), np.sqrt(3 / (4 * np.pi)), np.sqrt(15 / (4 * np.pi))
    basis = [
        one * np.ones(len(n)),
        three * z,
        three * x,
        three * y,
        np.sqrt(5 / (16 * np.pi)) * (3 * z**2 - 1),
        fifteen * x * z,
        fifteen * y * z,
        np.sqrt(15 / (16 * np.pi)) * (x**2 - y**2),
        fifteen * x * y,
    ]
    return np.stack(basis, 1) @ bands.T


def posed(xyz, pose):
    """In the camera's space, and in the picture with z away."""
    pitch, yaw, roll, tx, ty, scale = pose
    cx, sx, cy, sy, cz, sz = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw), np.cos(roll), np.sin(roll)
    rx = np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    ry = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    rz = np.array([[cz, sz, 0], [-sz, cz, 0], [0, 0, 1]])
    camera = xyz @ (rx @ ry @ rz * np.exp(scale) * SIZE * 1.5 / 300).T + np.array([tx, ty, -20])
    clip = camera[:, :2] / (SIZE / 2)
    x, y = (clip[:, 0] + 1) * SIZE / 2, SIZE - (clip[:, 1] + 1) * SIZE / 2
    return camera, np.stack([x, y, -camera[:, 2]], 1)


def chart_of(values):
    """Values of the vertices in the chart: linear in each triangle, 0 where there is none."""
    out = np.zeros((CHART, CHART, values.shape[1]))
    for triangle in tri:
        (ya, xa), (yb, xb), (yc, xc) = places[triangle].astype(float)
        low, high = places[triangle].min(0), places[triangle].max(0)
        y, x = np.meshgrid(np.arange(low[0], high[0] + 1) + 0.5, np.arange(low[1], high[1] + 1) + 0.5, indexing="ij")
        area = (xb - xa) * (yc - ya) - (yb - ya) * (xc - xa)
        if area == 0:
            continue
        wa = ((xb - x) * (yc - y) - (yb - y) * (xc - x)) / area
        wb = ((xc - x) * (ya - y) - (yc - y) * (xa - x)) / area
        weights = np.stack([wa, wb, 1 - wa - wb], 2)
        inside = (weights >= -1e-12).all(2)
        window = out[low[0] : high[0] + 1, low[1] : high[1] + 1]
        window[inside] = (weights @ values[triangle])[inside]
    return out


def detail_triangles(height, width):
    a = (np.arange(height - 1)[:, None] * width + np.arange(width - 1)).ravel()
    return np.stack([a, a + width + 1, a + 1, a, a + width, a + width + 1], 1).reshape(-1, 3)


def face(i):
    xyz = model["mu_shape"] + model["mu_exp"] + codes["shape"][i] @ bases["shape"][:, :80].T
    xyz = (xyz + codes["exp"][i] @ bases["exp"].T).reshape(V, 3)
    rgb = np.clip(model["mu_tex"] + codes["tex"][i] @ bases["tex"][:, :80].T, 0, 255).reshape(V, 3) / 255
    camera, image = posed(xyz, poses[i])
    coarse = image, rgb, np.clip(rgb * light_of(camera, tri, light[i]), 0, 1)
    column, row = np.clip(image[:, :2], 0, SIZE - 1).astype(int).T
    unwrapped = chart_of(pictures[i][row, column])
    fine = chart_of(np.concatenate([xyz, rgb, moved[:, None]], 1))[PART]
    shape = fine.shape[:2]
    fine = fine.reshape(-1, 7)
    place = fine[:, :3] + np.stack([0, 0, 1]) * (displacements[i][PART].reshape(-1) * fine[:, 6])[:, None]
    camera, image = posed(place, poses[i])
    shade = light_of(camera, detail_triangles(*shape), light[i])
    return *coarse, unwrapped, image, np.clip(fine[:, 3:6] * shade, 0, 1)


pictures = faces(2, SIZE).astype(float)
displacements = spread("displacement", (2, CHART, CHART), 2)
told = [face(i) for i in range(2)]
names = {"vertices": 7, "albedo": 7, "colours": 7, "unwrapped": EVERY, "fineVertices": EVERY, "fineColours": EVERY}
values = {name: [compact(one[k].ravel()[::step], 8) for one in told] for k, (name, step) in enumerate(names.items())}
print(json.dumps({"every": names, **values}))
