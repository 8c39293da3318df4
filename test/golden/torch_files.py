"""Writes test/golden/files/torch_*.pth and what they hold: PyTorch's archives, of before version 1.6 too.

Run with: python3 test/golden/torch_files.py (Debian's python3-torch 1.13)
"""

import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

FOLDER = Path(__file__).parent / "files"
torch.manual_seed(1)

base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
weights = OrderedDict(
    [
        ("module.conv.weight", torch.randn(2, 3, 3, 3)),
        ("module.conv.bias", torch.nn.Parameter(torch.tensor([-1.5, 0.25]))),
        ("half", torch.tensor([1, -0.5, 65504, 6e-8], dtype=torch.float16)),
        ("bfloat", torch.tensor([1, -3.140625, 1e30], dtype=torch.bfloat16)),
        ("double", torch.tensor([[1e-300], [1 / 3]], dtype=torch.float64)),
        ("steps", torch.tensor(2**40 + 1)),
        ("int", torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32)),
        ("bytes", torch.tensor([0, 255], dtype=torch.uint8)),
        ("mask", torch.tensor([True, False, True])),
        ("turned", base.t()),
        ("part", base[1:3, 2:5]),
        ("row", base[3]),
        ("empty", torch.zeros(0, 4)),
    ]
)
weights._metadata = OrderedDict([("", {"version": 1})])  # as state_dict() has it
content = {"E_flame": weights, "epoch": 20, "name": "drawn", "opt": {"state": [{"step": torch.tensor(3)}]}}


def flat(value, name=""):
    if isinstance(value, torch.Tensor):
        plain = value.detach().float() if value.dtype == torch.bfloat16 else value.detach()
        yield name, str(value.dtype)[6:], plain.contiguous().numpy()
    elif isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flat(inner, f"{name}.{key}" if name else str(key))


def told(dtype, array):
    numbers = array.astype(float) if array.dtype.kind == "f" else array.astype(np.int64)
    return {"dtype": dtype, "shape": list(array.shape), "values": numbers.ravel().tolist()}


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/ftim-was-here",)


torch.save(content, FOLDER / "torch_zip.pth")
torch.save(content, FOLDER / "torch_old.pth", _use_new_zipfile_serialization=False)
torch.save({"weight": torch.zeros(1), "more": Evil()}, FOLDER / "torch_evil.pth")
torch.save({"weight": torch.zeros(1), "more": Evil()}, FOLDER / "torch_evil_old.pth", _use_new_zipfile_serialization=False)
torch.save(torch.nn.Linear(2, 1), FOLDER / "torch_model.pth")
expected = {name: told(dtype, array) for name, dtype, array in flat(content)}
(FOLDER / "torch.json").write_text(json.dumps(expected) + "\n")
