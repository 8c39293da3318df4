"""Golden values of Deng et al.'s conventions, each by the authors' own function: crop, geometry, camera, light, colours.

Run with: python3 test/golden/deng.py DENG > test/golden/deng.json
DENG is a checkout of sicxu/Deep3DFaceRecon_pytorch (9167c71), for reading and running only. Python 3.11, PyTorch, SciPy,
Pillow. It writes test/golden/files/standard_face.mat too: drawn landmarks in the form of similarity_Lm3D_all.mat.
"""

import importlib
import json
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import scipy.io
import torch
from drawn import compact, uniform
from images import pair
from PIL import Image

deng = Path(sys.argv[1])
for name in ("models", "util"):  # without their __init__, which imports all of training
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(deng / name)]
for name in ("cv2", "skimage", "skimage.transform"):  # imported there, and not called here
    sys.modules[name] = types.ModuleType(name)
sys.modules["skimage"].transform = sys.modules["skimage.transform"]
if not hasattr(np, "VisibleDeprecationWarning"):
    np.VisibleDeprecationWarning = DeprecationWarning
bfm = importlib.import_module("models.bfm")
preprocess = importlib.import_module("util.preprocess")
load_mats = importlib.import_module("util.load_mats")


def spread(name, shape, scale=1.0):
    return (scale * (uniform(name, int(np.prod(shape))) - 0.5)).astype(np.float32).reshape(shape)


# A drawn face: a bent sheet of 7 × 6 vertices.
columns, rows = 7, 6
count = columns * rows
places = np.array([[c * 0.3 - 0.9, 0.75 - r * 0.3, 0] for r in range(rows) for c in range(columns)], np.float32)
places[:, 2] = spread("deng heights", (count,), 0.4)
triangles = []
for r in range(rows - 1):
    for c in range(columns - 1):
        a = r * columns + c + 1
        triangles += [[a, a + columns, a + 1], [a + 1, a + columns, a + columns + 1]]
around = np.full((count, 8), len(triangles) + 1)
for vertex in range(count):
    own = [t + 1 for t, corners in enumerate(triangles) if vertex + 1 in corners]
    around[vertex, : len(own)] = own
folder = Path(tempfile.mkdtemp())
scipy.io.savemat(
    folder / "BFM_model_front.mat",
    {
        "meanshape": places.reshape(1, -1),
        "idBase": spread("deng idBase", (3 * count, 80), 0.05),
        "exBase": spread("deng exBase", (3 * count, 64), 0.05),
        "meantex": 128 + spread("deng meantex", (1, 3 * count), 160),
        "texBase": spread("deng texBase", (3 * count, 80), 8),
        "tri": np.array(triangles, np.uint16),
        "point_buf": around.astype(np.uint16),
        "keypoints": np.arange(1, 43, dtype=np.uint16).reshape(1, -1),
    },
)
model = bfm.ParametricFaceModel(str(folder), is_train=False)
model.to("cpu")
codes = np.concatenate(
    [
        spread("deng code", (2, 224), 2),
        spread("deng angles", (2, 3), 1.2),
        spread("deng light", (2, 27), 0.8),
        spread("deng translation", (2, 3), 0.8),
    ],
    axis=1,
)
with torch.no_grad():
    vertices, _, colours, landmarks = model.compute_for_render(torch.from_numpy(codes))
    projected = model.to_image(vertices)

# The standard face, and crops: of a face larger than the crop, of one smaller, of one that reaches out of the photograph.
standard = spread("deng landmarks", (68, 3), 1.2)
scipy.io.savemat(Path(__file__).parent / "files/standard_face.mat", {"lm": standard.astype(np.float64)})
(folder / "BFM").mkdir()
scipy.io.savemat(folder / "BFM/similarity_Lm3D_all.mat", {"lm": standard.astype(np.float64)})
five = load_mats.load_lm3d(str(folder / "BFM"))
points = np.array([[-0.33, 0.29, 0.21], [0.32, 0.28, 0.2], [0.01, -0.02, 0.52], [-0.26, -0.34, 0.25], [0.27, -0.33, 0.26]])
width, height = 480, 360
picture = Image.fromarray(np.round(pair(width, height, 1)[0] * 255).astype(np.uint8))
crops = []
for i, (x, y, size) in enumerate([(240.3, 170.6, 420), (201.8, 155.2, 90), (31.4, 322.9, 170)]):
    jitter = uniform(f"deng points {i}", 10).reshape(5, 2) * 0.03
    seen = ([x, y] + size * (points[:, :2] * [1, -1] + jitter)).astype(np.float32)
    flipped = seen.copy()
    flipped[:, -1] = height - 1 - flipped[:, -1]
    # The two steps of their align_img, whose array of parameters NumPy 1.24 refuses to make.
    shift, size = preprocess.POS(flipped.transpose(), points.transpose())
    scale = 102 / size
    crop, _, _ = preprocess.resize_n_crop_img(picture, flipped, shift, scale)
    values = np.array(crop).reshape(-1)
    crops.append({"points": seen.tolist(), "scale": float(scale), "every": 97, "values": " ".join(map(str, values[::97])), "sum": int(values.astype(int).sum())})

golden = {
    "faces": {
        "vertices": [compact(one) for one in vertices],
        "projected": [compact(one) for one in projected],
        "colours": [compact(one) for one in colours],
    },
    "standard": compact(five),
    "points": compact(points),
    "crops": crops,
}
print(json.dumps(golden))
