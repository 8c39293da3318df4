"""One training step of FTIM's U-Net in PyTorch, on the CPU and on CUDA where there is one.

A step is: forward, mean |output - target|, backward, Adam. The network is that of nets/ftim.ts: five stride-2
convolutions, a convolution whose result the code shifts, nearest-neighbour doubling with skip connections, instance
normalisation behind all but the last; batch 3, 256 x 256, 12 channels. Single precision (no TF32), as ours.
Prints JSON: milliseconds a step of each, and the version.

    python3 bench/peers/unet_step.py '{"widths": [16, 32, 64, 96, 96], "fullWidth": 16, "codeLength": 15, "size": 256}'
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

INPUT_CHANNELS = 12
shape = json.loads(sys.argv[1])


class UNet(nn.Module):
    def __init__(self, widths, full_width, code_length):
        super().__init__()

        def conv(ins, outs, stride=1):
            return nn.Sequential(
                nn.Conv2d(ins, outs, 3, stride, padding=1, bias=False), nn.InstanceNorm2d(outs, affine=True)
            )

        ins = [INPUT_CHANNELS, *widths[:-1]]
        self.down = nn.ModuleList(conv(a, b, 2) for a, b in zip(ins, widths))
        self.code = nn.Linear(code_length, widths[-1])
        self.latent = conv(widths[-1], widths[-1])
        # From coarse to fine: what comes from below, doubled, beside the skip of that size.
        self.up = nn.ModuleList(conv(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1]))
        self.full = conv(widths[0] + INPUT_CHANNELS, full_width)
        self.output = nn.Conv2d(full_width, 3, 3, padding=1)

    def forward(self, x, code):
        skips = []
        stack = x
        for down in self.down:
            skips.append(x)
            x = F.leaky_relu(down(x), 0.2)
        x = F.leaky_relu(self.latent(x) + self.code(code)[:, :, None, None], 0.2)
        for up, skip in zip(self.up, skips[:0:-1]):
            x = F.leaky_relu(up(torch.cat([F.interpolate(x, scale_factor=2), skip], 1)), 0.2)
        x = F.leaky_relu(self.full(torch.cat([F.interpolate(x, scale_factor=2), stack], 1)), 0.2)
        return self.output(x)


torch.manual_seed(1)
torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True


def milliseconds(device, steps):
    size = shape["size"]
    net = UNet(shape["widths"], shape["fullWidth"], shape["codeLength"]).to(device, memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-4)
    x = torch.rand(3, INPUT_CHANNELS, size, size, device=device).to(memory_format=torch.channels_last)
    code = torch.rand(3, shape["codeLength"], device=device)
    target = torch.rand(3, 3, size, size, device=device)

    def several(count):
        for _ in range(count):
            optimiser.zero_grad()
            (net(x, code) - target).abs().mean().backward()
            optimiser.step()
        if device == "cuda":
            torch.cuda.synchronize()

    several(1)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        several(steps)
        best = min(best, (time.perf_counter() - start) / steps * 1e3)
    return best


print(json.dumps({
    "cpu": milliseconds("cpu", 5),
    "cuda": milliseconds("cuda", 50) if torch.cuda.is_available() else None,
    "version": torch.__version__,
    "threads": torch.get_num_threads(),
}))
