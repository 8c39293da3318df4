"""Writes safetensors.safetensors beside this script with the reference implementation (pip install safetensors numpy).

Values are checked by test/nets/safetensors_test.ts.
"""
from pathlib import Path

import numpy as np
from safetensors.numpy import save

tensors = {
    "weight": (np.arange(6, dtype=np.float32) / 4 - 0.5).reshape(2, 3),
    "index": np.array([[-2147483648, 2147483647]], dtype=np.int32),
    "count": np.array([0, 4294967295], dtype=np.uint32),
    # Each half that is special: zeros, the smallest and largest subnormal, the smallest normal, 1, the largest, infinities.
    "half": np.array([0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x3C00, 0x7BFF, 0x7C00, 0xFC00], np.uint16).view(np.float16),
    "mask": np.array([0, 1, 255], dtype=np.uint8),
    "scalar": np.array(2.5, dtype=np.float32),
    "empty": np.zeros((0, 4), dtype=np.float32),
    "Grüße/π": np.array([3.140625], dtype=np.float32),
}
Path(__file__).with_name("safetensors.safetensors").write_bytes(save(tensors, metadata={"made by": "safetensors"}))
