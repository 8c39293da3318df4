"""Golden faces of MTCNN: facenet-pytorch's own code and weights on packaged photographs.

Run with: python3 test/golden/mtcnn.py FACENET PHOTOGRAPH... > test/golden/mtcnn.json
FACENET is a checkout of timesler/facenet-pytorch (787da06, MIT). The photographs are PNG files that photographs.ts wrote
(with 640 as the longest side) of those in data.lock, so that both
detect on the same pixels. Python 3.11, PyTorch, torchvision, Pillow.
"""

import importlib
import json
import sys
import types
from pathlib import Path

import numpy as np
from drawn import compact
from PIL import Image

for name in ("facenet", "facenet.utils"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(Path(sys.argv[1]) / name.replace("facenet", "models").replace(".", "/"))]
mtcnn = importlib.import_module("facenet.mtcnn").MTCNN(keep_all=True)
golden = {}
for path in sys.argv[2:]:
    image = np.asarray(Image.open(path).convert("RGB"))
    boxes, scores, points = mtcnn.detect(image, landmarks=True)
    faces = [] if boxes is None else [
        {"box": compact(box), "score": round(float(score), 6), "points": compact(five)}
        for box, score, five in zip(boxes, scores, points)
    ]
    golden[Path(path).name.removesuffix(".png").replace("--", "/")] = faces
print(json.dumps(golden))
