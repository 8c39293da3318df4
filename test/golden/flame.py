"""Golden heads of FLAME: DECA's own module on a drawn model in FLAME's shapes, which flame_drawn.ts draws too.

Run with: python3 test/golden/flame.py DECA > test/golden/flame.json
DECA is a checkout of yfeng95/DECA (a11554a), for reading and running only: it is licensed for research. Python 3.11,
PyTorch. It writes test/golden/files/landmark_embedding.npy too, the drawn landmarks in the form of DECA's own.
"""

import importlib
import json
import pickle
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import torch
from drawn import compact, uniform
from images import hashes

V, F, J, CONTOUR, TURNS = 5023, 9976, 5, 17, 79


def spread(name, shape, scale):
    """Numbers about 0."""
    return (scale * (uniform(name, int(np.prod(shape))) - 0.5)).astype(np.float32).reshape(shape)


def shares(name, rows, columns, least=0.0):
    """Rows that sum to 1."""
    values = uniform(name, rows * columns).reshape(rows, columns)
    values = np.where(values >= least, values, 0)
    return (values / values.sum(1, keepdims=True)).astype(np.float32)


def below(name, shape, count):
    first = int(uniform(name, 1)[0] * 2**32)
    return (hashes(int(np.prod(shape)), first) % count).reshape(shape)


model = {
    "v_template": spread("v_template", (V, 3), 0.2),
    "shapedirs": spread("shapedirs", (V, 3, 400), 0.004),
    "posedirs": spread("posedirs", (V, 3, 36), 0.01),
    "J_regressor": shares("J_regressor", J, V, 0.995),
    "weights": shares("weights", V, J),
    "f": below("f", (F, 3), V).astype(np.uint32),
    "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32),
}
landmarks = {
    "static_lmk_faces_idx": below("static", (51,), F),
    "static_lmk_bary_coords": shares("static", 51, 3).astype(float),
    "dynamic_lmk_faces_idx": torch.from_numpy(below("dynamic", (TURNS, CONTOUR), F)),
    "dynamic_lmk_bary_coords": torch.from_numpy(shares("dynamic", TURNS * CONTOUR, 3).reshape(TURNS, CONTOUR, 3)),
    "full_lmk_faces_idx": below("full", (1, 68), F),
    "full_lmk_bary_coords": shares("full", 68, 3).astype(float).reshape(1, 68, 3),
}
poses = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [0.2, 0.5, -0.1, 0.15, 0.02, -0.01],
        [-0.1, -1.1, 0.3, 0, 0, 0],
        [0.05, -0.3, 0.02, 0.4, -0.05, 0.03],
    ],
    np.float32,
)
shape, expression = spread("shape", (len(poses), 100), 4), spread("expression", (len(poses), 50), 4)

embedding = Path(__file__).parent / "files/landmark_embedding.npy"
np.save(embedding, landmarks, allow_pickle=True)
for name in ("decalib", "decalib.models"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(Path(sys.argv[1]) / name.replace(".", "/"))]
code = importlib.import_module("decalib.models.FLAME")
folder = Path(tempfile.mkdtemp())
(folder / "model.pkl").write_bytes(pickle.dumps(model, 2))
config = types.SimpleNamespace(
    flame_model_path=str(folder / "model.pkl"), flame_lmk_embedding_path=str(embedding), n_shape=100, n_exp=50
)
out, sys.stdout = sys.stdout, sys.stderr
flame = code.FLAME(config)
sys.stdout = out
with torch.no_grad():
    vertices, moving, fixed = flame(*map(torch.from_numpy, (shape, expression, poses)))

# The albedo: a formula in place of the real one, of which three components are used.
texel, component = np.arange(512 * 512 * 3)[:, None], np.arange(199)[None]
np.savez(
    folder / "albedo.npz",
    MU=((texel[:, 0] * 7 % 256) / 255).astype(np.float32),
    PC=(((texel * 31 + component * 17) % 256 - 128) / 1000).astype(np.float32),
)
albedo = code.FLAMETex(types.SimpleNamespace(tex_type="BFM", tex_path=str(folder / "albedo.npz"), n_tex=3))
texture = albedo(torch.tensor([[0.5, -1.5, 2.0]]))[0].permute(1, 2, 0).reshape(-1, 3)

golden = {
    "poses": poses.astype(float).round(6).tolist(),
    "vertices": {"every": 251, "values": [compact(one[::251]) for one in vertices]},
    "landmarks": [compact(one) for one in moving],
    "fixedLandmarks": [compact(one) for one in fixed],
    "albedo": {"code": [0.5, -1.5, 2.0], "every": 1021, "values": compact(texture[::1021])},
}
print(json.dumps(golden))
