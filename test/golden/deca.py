"""Golden values of DECA's conventions, each by the authors' own function: crop, camera, light, normals, UV unwrap.

Run with: python3 test/golden/deca.py DECA PYTORCH3D > test/golden/deca.json
DECA is a checkout of yfeng95/DECA (a11554a), licensed for research, PYTORCH3D one of facebookresearch/pytorch3d, whose
rasteriser in Python is used; both for reading and running only. Python 3.11, PyTorch, scikit-image, Pillow. It writes
test/golden/files/seams.obj too, a drawn mesh whose chart has a seam.
"""

import importlib
import json
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import torch
from drawn import compact, uniform
from images import pair
from PIL import Image


def package(name, folder):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(folder)]


def absent(name, **members):
    """In place of a library that the code imports and does not call."""
    sys.modules[name] = types.ModuleType(name)
    for member, value in members.items():
        setattr(sys.modules[name], member, value)


deca, pytorch3d = map(Path, sys.argv[1:])
for name in ("decalib", "decalib.models", "decalib.utils", "decalib.datasets"):
    package(name, deca / name.replace(".", "/"))
for name in ("pytorch3d", "pytorch3d.structures", "pytorch3d.common", "pytorch3d.renderer", "pytorch3d.renderer.mesh"):
    package(name, pytorch3d / name.replace(".", "/"))
absent("pytorch3d._C")
sys.modules["pytorch3d"]._C = sys.modules["pytorch3d._C"]
absent("pytorch3d.renderer.utils", parse_image_size=None)
for name in ("cv2", "imageio", "torchvision", "torchvision.transforms", "decalib.datasets.detectors"):
    absent(name)
datasets = importlib.import_module("decalib.datasets.datasets")
util = importlib.import_module("decalib.utils.util")
renderer = importlib.import_module("decalib.utils.renderer")
rasterize = importlib.import_module("pytorch3d.renderer.mesh.rasterize_meshes").rasterize_meshes_python
renderer.Meshes = importlib.import_module("pytorch3d.structures.meshes").Meshes
renderer.load_obj = util.load_obj
renderer.rasterize_meshes = lambda meshes, bin_size, max_faces_per_bin, **rest: rasterize(meshes, **rest)


def spread(name, shape, scale=1.0):
    return (scale * (uniform(name, int(np.prod(shape))) - 0.5)).astype(np.float32).reshape(shape)


# Crops: of a face larger than the crop, one smaller, one that reaches out of the photograph; and of a detector's box.
folder = Path(tempfile.mkdtemp())
crops = []
width, height = 480, 360
picture = np.round(pair(width, height, 1)[0] * 255).astype(np.uint8)
for i, (x, y, wide, high) in enumerate([(60, 40, 301, 287), (201.3, 155.8, 71.5, 80.25), (-20.5, 230, 150, 170)]):
    points = uniform(f"landmarks {i}", 136).reshape(68, 2) * [wide, high] + [x, y]
    path = folder / f"{i}.png"
    Image.fromarray(picture).save(path)
    np.savetxt(path.with_suffix(".txt"), points, fmt="%.17g")
    data = datasets.TestData.__new__(datasets.TestData)
    data.imagepath_list, data.iscrop, data.scale, data.resolution_inp = [str(path)], True, 1.25, 224
    crop = data[0]
    image = crop["image"].numpy().transpose(1, 2, 0).reshape(-1)
    scale, _, right, _, _, down = crop["tform"].reshape(-1)[:6].tolist()
    place = {"x": x, "y": y, "width": wide, "height": high}
    crops.append({**place, "scale": scale, "right": right, "down": down, "every": 997, "values": compact(image[::997])})
boxes = []
for left, top, right, bottom in [(100, 80, 260, 300), (-3.5, 10.25, 90.75, 130)]:
    size, centre = datasets.TestData.bbox2point(None, left, right, top, bottom, type="bbox")
    boxes.append({"box": [left, top, right, bottom], "side": int(size * 1.25), "centre": centre.tolist()})

# Camera: DECA.decode's lines, of which the first is the authors' function.
points, camera = torch.from_numpy(spread("points", (2, 7, 3))), torch.tensor([[8.5, 0.02, -0.03], [6.25, -0.1, 0.04]])
projected = util.batch_orth_proj(points, camera)
projected[:, :, 1:] = -projected[:, :, 1:]

# Light and normals.
obj = Path(__file__).parent / "files/seams.obj"
columns, rows = 7, 6
lines, place, places = [], {}, 0
heights = spread("heights", (rows, columns), 0.6)
for r in range(rows):
    for c in range(columns):
        lines.append(f"v {c * 0.3 - 0.9:.6f} {0.75 - r * 0.3:.6f} {heights[r, c]:.6f}")
jitter = spread("jitter", (rows, columns, 2, 2), 0.05)
for r in range(rows):
    for c in range(columns):
        for half in (0, 1):
            if half == 0 and c > 3 or half == 1 and c < 3:
                continue
            u = (0.05 + 0.13 * c if half == 0 else 0.55 + 0.13 * (c - 3)) + jitter[r, c, half, 0]
            v = 0.9 - 0.15 * r + jitter[r, c, half, 1]
            places += 1
            place[r, c, half] = places
            lines.append(f"vt {u:.6f} {v:.6f}")
for r in range(rows - 1):
    for c in range(columns - 1):
        half = 0 if c < 3 else 1
        corner = lambda r, c: f"{r * columns + c + 1}/{place[r, c, half]}"
        lines.append(f"f {corner(r, c)} {corner(r + 1, c)} {corner(r, c + 1)}")
        lines.append(f"f {corner(r, c + 1)} {corner(r + 1, c)} {corner(r + 1, c + 1)}")
obj.write_text("\n".join(lines) + "\n")
size = 20
render = renderer.SRenderY(size, str(obj), uv_size=size, rasterizer_type="standard")
render.uv_rasterizer = renderer.Pytorch3dRasterizer(size)
vertices = util.load_obj(str(obj))[0][None]
normals = util.vertex_normals(vertices, render.faces)
light = torch.from_numpy(spread("light", (1, 9, 3), 2))
shading = render.add_SHlight(normals.permute(0, 2, 1)[:, :, :, None], light)[0, :, :, 0].T

# Unwrap: the places of the texels, and what a picture shows there.
posed = util.batch_orth_proj(vertices, torch.tensor([[0.7, 0.05, 0.1]]))
posed[:, :, 1:] = -posed[:, :, 1:]
positions = render.world2uv(posed)
inside = render.uv_rasterizer(render.uvcoords, render.uvfaces, util.face_vertices(posed, render.faces))[0, 3]
image = torch.from_numpy(pair(size * 2, size * 2, 1)[0]).float().permute(2, 0, 1)[None]
unwrapped = torch.nn.functional.grid_sample(image, positions.permute(0, 2, 3, 1)[..., :2], mode="bilinear", align_corners=False)

golden = {
    "crops": crops,
    "boxes": boxes,
    "camera": {"cameras": [[8.5, 0.02, -0.03], [6.25, -0.1, 0.04]], "points": [compact(one) for one in points], "projected": [compact(one) for one in projected]},
    "normals": compact(normals),
    "light": compact(light),
    "shading": compact(shading),
    "unwrap": {
        "size": size,
        "camera": [0.7, 0.05, 0.1],
        "inside": "".join(map(str, inside.int().reshape(-1).tolist())),
        "positions": compact(positions[0].permute(1, 2, 0)),
        "picture": compact(unwrapped[0].permute(1, 2, 0)),
    },
}
print(json.dumps(golden))
