"""Writes metrics.json: L1, PSNR and SSIM of made-up image pairs, by scikit-image. The tests compare ours with these values.

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-image 0.26.0:  python3 test/golden/metrics.py > test/golden/metrics.json
"""

import json

import numpy as np
from images import pair
from scipy.ndimage import maximum_filter
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


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
