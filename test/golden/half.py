"""Golden values of half precision: single-precision numbers and the bits that NumPy rounds them to.

Run with: python3 test/golden/half.py > test/golden/half.json (NumPy 2.4)
"""

import json

import numpy as np


def single(bits):
    return np.array(bits, np.uint32).view(np.float32)


random = np.random.default_rng(1)
halves = random.integers(0, 0x7BFF, 40).astype(np.uint16)
low, high = halves.view(np.float16).astype(np.float32), (halves + 1).view(np.float16).astype(np.float32)
ties = (low + high) / 2  # exactly between two neighbours: the even one wins
cases = np.concatenate([
    ties, np.nextafter(ties, np.float32(0)), -np.nextafter(ties, np.float32(np.inf)),
    random.normal(0, 1, 20).astype(np.float32),
    single([0x00000000, 0x80000000, 0x00000001, 0x33000000, 0x33000001, 0x387FC000, 0x387FE000, 0x477FEFFF]),
    np.array([np.inf, -np.inf], np.float32),
])
bits = cases.astype(np.float16).view(np.uint16)

print(json.dumps({"single": cases.view(np.uint32).tolist(), "half": bits.tolist()}))
