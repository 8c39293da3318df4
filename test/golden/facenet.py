"""Golden descriptors of FaceNet and their gradient: facenet-pytorch's own code with the drawn weights of drawn.py.

Run with: python3 test/golden/facenet.py FACENET > test/golden/facenet.json
FACENET is a checkout of timesler/facenet-pytorch (787da06, MIT). Python 3.11, PyTorch; computed in double precision.
"""

import importlib
import json
import sys
import types
from pathlib import Path

import torch
from drawn import compact, faces, state, uniform

for name in ("facenet", "facenet.utils"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(Path(sys.argv[1]) / name.replace("facenet", "models").replace(".", "/"))]
for name, member in (("requests", None), ("requests.adapters", "HTTPAdapter"), ("facenet.utils.download", "download_url_to_file")):
    sys.modules[name] = types.ModuleType(name)
    if member:
        setattr(sys.modules[name], member, None)
module = importlib.import_module("facenet.inception_resnet_v1").InceptionResnetV1()
shapes = state(module)
module.double()
pixels = torch.from_numpy(faces(2, 160).transpose(0, 3, 1, 2).copy()).double().requires_grad_()
descriptors = module((pixels * 255 - 127.5) / 128)
weights = torch.from_numpy(uniform("weights", 1024) - 0.5).reshape(2, 512)
(descriptors * weights).sum().backward()
gradient = pixels.grad.permute(0, 2, 3, 1).reshape(-1)
golden = {
    "tensors": shapes,
    "descriptors": [compact(one) for one in descriptors.detach()],
    "gradient": {"every": 211, "values": compact(gradient[::211])},
}
print(json.dumps(golden))
