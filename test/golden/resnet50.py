"""Golden codes of DECA's and Deng's encoders: the authors' own code with the drawn weights of drawn.py.

Run with: python3 test/golden/resnet50.py DECA DENG > test/golden/resnet50.json
DECA is a checkout of yfeng95/DECA (a11554a), DENG one of sicxu/Deep3DFaceRecon_pytorch (9167c71), for reading and
running only; both are licensed for research. Python 3.11, PyTorch and torchvision of Debian (1.13, 0.14) or later.
"""

import importlib
import json
import sys
import types
from pathlib import Path

import torch
from drawn import compact, faces, state


def package(name, folder):
    """A package without its __init__.py, which wants more than what is run here."""
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def absent(name, **members):
    """In place of a library that the code imports and does not call."""
    sys.modules[name] = types.ModuleType(name)
    for member, value in members.items():
        setattr(sys.modules[name], member, value)


deca, deng = map(Path, sys.argv[1:])
package("decalib", deca / "decalib")
package("decalib.models", deca / "decalib/models")
package("deng", deng / "models")
absent("deng.arcface_torch")
absent("deng.arcface_torch.backbones", get_model=None)
absent("kornia")
absent("kornia.geometry", warp_affine=None)
encoders = importlib.import_module("decalib.models.encoders")
networks = importlib.import_module("deng.networks")

images = torch.from_numpy(faces(2, 224).transpose(0, 3, 1, 2).copy())
golden = {}
for name, module, prefix in [
    ("deca", encoders.ResnetEncoder(236), "E_flame."),
    ("deng", networks.define_net_recon("resnet50"), "net_recon."),
]:
    shapes = state(module, prefix)
    with torch.no_grad():
        golden[name] = {"tensors": shapes, "codes": [compact(code, 8) for code in module(images)]}
print(json.dumps(golden))
