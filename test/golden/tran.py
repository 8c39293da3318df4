"""Golden values of the networks of Tran et al.: an independent NumPy version of the published layers, drawn weights.

Run with: python3 test/golden/tran.py > test/golden/tran.json
Written after tranluan/Nonlinear_Face_3DMM (662098a): `generator_encoder` and both decoders of
`model_non_linear_3DMM.py`, and the decoders of parts, `…_v2_relu`, of `model_non_linear_3DMM_proxy.py`. Their code
wants TensorFlow 1.8 on Python 2.7; tensorflow_1.py runs it nevertheless and finds the same. gf_dim is 32 and gfc_dim 320, as the README trains them. NumPy.
"""

import json

import numpy as np
from drawn import compact, faces
from tensorflow_layers import Variables, conv, elu, norm, relu, transposed

GF, GFC, HEIGHT, WIDTH, EVERY = 32, 320, 192, 224, 499


def encode(v, image):
    x = image
    for name, size, width, stride in [
        ("01", 7, 1, 2), ("02", 3, 2, 1),
        ("10", 3, 2, 2), ("11", 3, 2, 1), ("12", 3, 4, 1),
        ("20", 3, 4, 2), ("21", 3, 3, 1), ("22", 3, 6, 1),
        ("30", 3, 6, 2), ("31", 3, 4, 1), ("32", 3, 8, 1),
        ("40", 3, 8, 2), ("41", 3, 5, 1),
    ]:  # fmt: skip
        w = v.read(f"g_k{name}_conv/w", (size, size, x.shape[-1], GF * width))
        x = elu(norm(v, conv(x, w, stride), f"g_k_bn{name[0]}_{name[1]}"))

    def head(name, width):
        w = v.read(f"g_k5_{name}_conv/w", (3, 3, x.shape[-1], width))
        out = conv(x, w) + v.read(f"g_k5_{name}_conv/biases", (width,))
        return norm(v, out, f"g_k_bn5_{name}").mean((1, 2))

    m, light = head("m", GFC // 5), head("il", GFC // 5)
    return (
        dense(v, m, "g_k6_m_lin", 8),
        dense(v, light, "g_k6_il_lin", 27),
        head("shape", GFC // 2),
        head("tex", GFC // 2),
    )


def dense(v, x, name, width):
    return x @ v.read(f"{name}/Matrix", (x.shape[-1], width)) + v.read(f"{name}/bias", (width,))


def deconv(v, x, name, width, stride):
    w = v.read(f"{name}/kernel", (3, 3, width, x.shape[-1]))
    return transposed(x, w, stride) + v.read(f"{name}/bias", (width,))


def layers(v, x, letter, steps, activation, scope="", part=""):
    """Transposed convolutions, each with its norm; a part's norms have its name twice."""
    for name, width, stride in steps:
        suffix = f"{name[0]}_{name[1]}" if len(name) > 1 else name
        x = deconv(v, x, f"{scope}g_{letter}{name}", width, stride)
        x = activation(norm(v, x, f"{scope}{part}g_{letter}_bn{suffix}"))
    return x


def steps(width, first):
    return [
        ("4", first, 2), ("40", 8 * width, 1),
        ("32", 8 * width, 2), ("31", 4 * width, 1), ("30", 6 * width, 1),
        ("22", 6 * width, 2), ("21", 3 * width, 1), ("20", 4 * width, 1),
        ("12", 4 * width, 2), ("11", 2 * width, 1), ("10", 2 * width, 1),
        ("02", 2 * width, 2), ("01", width, 1),
    ]  # fmt: skip


def trunk(v, code, letter, width, base, first, activation):
    x = dense(v, code, f"g_{letter}5_lin", base * (HEIGHT // 32) * (WIDTH // 32))
    x = activation(norm(v, x.reshape(-1, HEIGHT // 32, WIDTH // 32, base), f"g_{letter}_bn5"))
    return layers(v, x, letter, steps(width, first), activation)


def decode(v, code, letter, base):
    """The decoders of model_non_linear_3DMM.py."""
    x = trunk(v, code, letter, GF, base, 5 * GF, elu)
    return np.tanh(deconv(v, x, f"g_{letter}0", 3, 1))


PLACES = {
    "leye": (38, 116, 40, 48),
    "reye": (38, 60, 40, 48),
    "nose": (46, 88, 56, 48),
    "mouth": (96, 63, 64, 96),
}


def decode_parts(v, code, letter, first, names):
    """The decoders of model_non_linear_3DMM_proxy.py; the proxy and the final map."""
    width = GF // 2

    def part(name):
        top, left, height, columns = PLACES[name]
        scope = f"{name}/"
        x = dense(v, code, f"{scope}g_{letter}4_lin", 8 * width * (height // 8) * (columns // 8))
        x = relu(norm(v, x.reshape(-1, height // 8, columns // 8, 8 * width), f"{scope}{scope}g_{letter}_bn4"))
        x = layers(v, x, letter, steps(width, first)[3:], relu, scope, scope)
        around = ((0, 0), (top, HEIGHT - top - height), (left, WIDTH - left - columns), (0, 0))
        return np.pad(x, around)

    local = part("leye") + part("reye") + part("mouth")
    if "nose" in names:
        local = np.maximum(local, part("nose"))
    x = np.concatenate([local, trunk(v, code, letter, width, 10 * width, first, relu)], 3)
    maps = []
    for end in ("", "_res"):
        y = deconv(v, x, f"g_{letter}00{end}", 2 * width, 1)
        y = relu(norm(v, y, f"g_{letter}_bn0_0{end}"))
        maps.append(np.tanh(deconv(v, y, f"g_{letter}0{end}", 3, 1)))
    return maps


def told(v, m, light, shape, albedo):
    sampled = lambda maps: [compact(one.ravel()[::EVERY], 8) for one in maps]
    return {
        "tensors": v.shapes,
        "camera": compact(m, 8),
        "light": compact(light, 8),
        "shape": sampled(2 * shape),
        "albedo": sampled(albedo),
    }


image = 2 * faces(2, 224).astype(float) - 1
v = Variables()
m, light, shape, texture = encode(v, image)
golden = {"every": EVERY, "whole": told(v, m, light, decode(v, shape, "s", GFC), decode(v, texture, "h", 10 * GF))}
v = Variables()
m, light, shape, texture = encode(v, image)
shapes = decode_parts(v, shape, "l", 5 * GF, PLACES)
albedos = decode_parts(v, texture, "h", 5 * GF // 2, ["leye", "reye", "mouth"])
golden["parts"] = told(v, m, light, shapes[1], albedos[1])
print(json.dumps(golden))
