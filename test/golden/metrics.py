"""Writes metrics.json: L1, PSNR and SSIM of made-up image pairs, by scikit-image. The tests compare ours with these values.

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-image 0.26.0:  python3 test/golden/metrics.py > test/golden/metrics.json
The images are a formula in whole numbers, so that test/golden/images.ts makes the very same ones.
"""

import json

import numpy as np
from scipy.ndimage import maximum_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def noise(n):
    """32-bit integer hash (Wellons' lowbias32) of 0..n-1."""
    x = np.arange(n, dtype=np.uint64)
    m = np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    x = (x * np.uint64(0x7FEB352D)) & m
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(0x846CA68B)) & m
    x ^= x >> np.uint64(16)
    return x.astype(np.int64)


def pair(width, height, amplitude):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    a = (x * 3 + y * 2 + c * 40 + (x // 7 + y // 5) % 2 * 60) % 256
    b = np.clip(a + noise(a.size).reshape(a.shape) % (2 * amplitude + 1) - amplitude + (x > width // 2) * 4, 0, 255)
    mask = (x[..., 0] - width // 2) ** 2 * 4 + (y[..., 0] - height // 2) ** 2 * 2 < (width * width) // 4
    return a / 255, b / 255, mask


cases = []
for width, height, amplitude in [(11, 11, 20), (37, 53, 8), (64, 48, 60), (224, 224, 25)]:
    a, b, mask = pair(width, height, amplitude)
    mean, full = structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, channel_axis=2, full=True
    )
    full = full.mean(axis=2)[5:-5, 5:-5]
    assert abs(full.mean() - mean) < 1e-12
    meets = maximum_filter(mask.astype(np.uint8), size=11, mode="constant")[5:-5, 5:-5] > 0
    cases.append(
        {
            "width": width,
            "height": height,
            "amplitude": amplitude,
            "full": {"l1": np.abs(a - b).mean(), "psnr": peak_signal_noise_ratio(a, b, data_range=1.0), "ssim": mean},
            "masked": {
                "l1": np.abs(a - b)[mask].mean(),
                "psnr": peak_signal_noise_ratio(a[mask], b[mask], data_range=1.0),
                "ssim": full[meets].mean(),
            },
        }
    )
print(json.dumps(cases, indent=2))
