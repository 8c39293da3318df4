"""Writes the files of arrays in test/golden/files/ and what they hold, each with the library that its authors used.

Run with: python3 test/golden/array_files.py (NumPy 1.23, SciPy 1.10, h5py 3, chumpy 0.70, ONNX 1.14, safetensors 0.8,
TensorFlow 2.13, cramjam 2 for Snappy; Python 3.11)

Two forms no library at hand writes, so they are put together here by the published format: pickles of Python 2
(`pickle._Pickler` with texts in place of bytes) and TensorFlow's index with Snappy, which its first version wrote.
"""

import inspect
import io
import json
import pickle
import struct
from pathlib import Path

import numpy as np

inspect.getargspec = inspect.getfullargspec  # chumpy 0.70 is older than Python 3.11
for name, kind in {"bool": bool, "int": int, "float": float, "complex": complex, "object": object, "str": str}.items():
    if name not in np.__dict__:
        setattr(np, name, kind)
np.unicode = str

import chumpy
import cramjam
import h5py
import onnx
import safetensors.numpy
import scipy.io
import scipy.sparse
import tensorflow as tf

FOLDER = Path(__file__).parent / "files"
random = np.random.default_rng(1)
expected = {}


def told(array, dtype=None):
    array = np.asarray(array)
    numbers = array.astype(float) if array.dtype.kind == "f" else array.astype(np.int64)
    return {"dtype": dtype or array.dtype.newbyteorder("=").name, "shape": list(array.shape), "values": numbers.ravel().tolist()}


def note(file, arrays):
    expected[file] = {name: told(*(value if isinstance(value, tuple) else (value,))) for name, value in arrays.items()}


def same(file, other):
    """The file holds what another does."""
    expected[file] = other


# NumPy
big = np.asfortranarray(random.normal(0, 1, (3, 4, 2))).astype(">f8")
np.save(FOLDER / "array.npy", big)
note("array.npy", {"": big})
arrays = {
    "MU": random.normal(0, 1, (2, 2, 3)),
    "PC": random.normal(0, 1, (12, 5)).astype(np.float32),
    "half": np.array([0.5, -2], np.float16),
    "index": np.array([[1, 2**40]], np.int64),
    "flags": np.array([True, False]),
    "scalar": np.float32(2.5),
}
np.savez(FOLDER / "stored.npz", **arrays, names=np.array(["a", "b"]))
np.savez_compressed(FOLDER / "packed.npz", **arrays, objects=np.array([{}], dtype=object))
note("stored.npz", arrays)
same("packed.npz", "stored.npz")

# Safetensors
types = {
    "double": random.normal(0, 1, (2, 3)),
    "half": np.array([1, -0.5], np.float16),
    "long": np.array([-(2**40), 2**40], np.int64),
    "short": np.array([-1, 2], np.int16),
    "bytes": np.array([0, 255], np.uint8),
    "mask": np.array([True, False]),
    "scalar": np.array(2.5, np.float32),
}
safetensors.numpy.save_file(types, FOLDER / "types.safetensors")
note("types.safetensors", types)

# FLAME's pickle
regressor = scipy.sparse.random(5, 20, 0.2, "csc", random_state=1)
flame = {
    "v_template": chumpy.array(random.normal(0, 1, (20, 3))),
    "shapedirs": chumpy.array(random.normal(0, 1, (20, 3, 4))),
    "f": random.integers(0, 20, (6, 3)).astype(np.uint32),
    "J_regressor": regressor,
    "rows": regressor.tocsr(),
    "weights": chumpy.array(np.asfortranarray(random.random((20, 5)))),
    "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32),
    "scale": np.float64(0.5),
    "bs_style": "lbs",
}
plain = {
    name: value.toarray() if scipy.sparse.issparse(value) else np.asarray(value)
    for name, value in flame.items()
    if name != "bs_style"
}


class Python2Pickler(pickle._Pickler):
    """What Python 2 wrote: texts of bytes, and modules by the names that they had then."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_bytes(self, value):
        head = b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<I", len(value))
        self.write(head + value)

    def save_str(self, value):
        self.save_bytes(value.encode("latin1"))

    def save_global(self, obj, name=None):
        module = getattr(obj, "__module__", "").replace("scipy.sparse._cs", "scipy.sparse.cs")
        if module.startswith("scipy.sparse.cs"):
            self.write(f"c{module}\n{obj.__name__}\n".encode())
            self.memoize(obj)
        else:
            super().save_global(obj, name)

    def save_type(self, obj):
        self.save_global(obj)

    dispatch[bytes] = save_bytes
    dispatch[str] = save_str
    dispatch[type] = save_type


(FOLDER / "flame.pkl").write_bytes(pickle.dumps(flame, 2))
stream = io.BytesIO()
Python2Pickler(stream, 2).dump(flame)
(FOLDER / "flame_python2.pkl").write_bytes(stream.getvalue())
(FOLDER / "flame_4.pkl").write_bytes(pickle.dumps(plain, 4))
note("flame.pkl", plain)
same("flame_python2.pkl", "flame.pkl")
same("flame_4.pkl", "flame.pkl")


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/ftim-was-here",)


(FOLDER / "evil.pkl").write_bytes(pickle.dumps({"v_template": plain["f"], "more": Evil()}, 2))

# MATLAB
model = {
    "shapeMU": random.normal(0, 1, (30, 1)).astype(np.float32),
    "shapePC": random.normal(0, 1, (30, 4)).astype(np.float32),
    "shapeEV": random.random((4, 1)),
    "tl": random.integers(1, 11, (8, 3)).astype(np.int32),
    "small": np.array([[1, 2, 3]], np.uint8),
}
others = {"title": "a text", "cells": np.array([1, "a"], dtype=object), "complex": np.array([1j])}
scipy.io.savemat(FOLDER / "model.mat", {**model, **others})
scipy.io.savemat(FOLDER / "model_packed.mat", {**model, **others}, do_compression=True)
note("model.mat", model)
same("model_packed.mat", "model.mat")


def matlab(order):
    """As MATLAB itself writes it: whole numbers of a double array in a byte each, and a short name in its tag."""
    pack = lambda format, *values: struct.pack(order + format, *values)
    small = lambda kind, data: (pack("HH", kind, len(data)) if order == "<" else pack("HH", len(data), kind)) + data.ljust(4, b"\0")
    long = lambda kind, data: pack("II", kind, len(data)) + data + b"\0" * (-len(data) % 8)
    body = long(6, pack("II", 6, 0)) + long(5, pack("ii", 2, 3)) + small(1, b"tri") + long(2, bytes([1, 4, 2, 5, 3, 6]))
    return b"MATLAB 5.0 MAT-file".ljust(124) + pack("H", 0x0100) + (b"IM" if order == "<" else b"MI") + long(14, body)


for name, order in {"short.mat": "<", "short_big.mat": ">"}.items():
    (FOLDER / name).write_bytes(matlab(order))
note("short.mat", {"tri": np.array([[1.0, 2, 3], [4, 5, 6]])})
same("short_big.mat", "short.mat")

# HDF5
with h5py.File(FOLDER / "model.h5", "w") as file:
    data = {
        "shape/model/mean": random.normal(0, 1, 30).astype(np.float32),
        "shape/model/pcaBasis": random.normal(0, 1, (30, 5)).astype(np.float32),
        "shape/representer/cells": random.integers(0, 10, (3, 8)).astype(np.int32),
        "color/model/mean": random.normal(0, 1, (9, 7, 3)),
        "big": np.array([1.5, -2.5], ">f8"),
        "half": np.array([1.5, -2.5], np.float16),
        "scalar": np.float64(0.25),
    }
    for path, values in data.items():
        packed = {"shape/model/pcaBasis": dict(chunks=(8, 3), compression="gzip", shuffle=True)}
        packed["color/model/mean"] = dict(chunks=(4, 7, 2), fletcher32=True)
        packed["shape/representer/cells"] = dict(chunks=(2, 3), compression="gzip")
        file.create_dataset(path, data=values, **packed.get(path, {}))
    file.create_dataset("version/name", data="BFM")
    for i in range(9):
        file.create_dataset(f"many/{i}", data=np.arange(i, dtype=np.uint8))
note("model.h5", {**data, **{f"many/{i}": np.arange(i, dtype=np.uint8) for i in range(9)}})
with h5py.File(FOLDER / "later.h5", "w", libver="latest") as file:
    file.create_dataset("mean", data=np.zeros(3))

# ONNX
weights = {
    "conv.weight": random.normal(0, 1, (2, 3, 3, 3)).astype(np.float32),
    "half": np.array([1, -0.5], np.float16),
    "axes": np.array([0, 2], np.int64),
    "empty": np.zeros((0, 3), np.float32),
}
tensors = [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()]
tensors.append(onnx.helper.make_tensor("bias", onnx.TensorProto.FLOAT, [2], [0.5, -0.5]))
weights["bias"] = np.array([0.5, -0.5], np.float32)
value = lambda name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, 8, 8])
node = onnx.helper.make_node("Conv", ["x", "conv.weight", "bias"], ["y"])
graph = onnx.helper.make_graph([node], "drawn", [value("x")], [value("y")], tensors)
network = onnx.helper.make_model(graph)
onnx.save(network, str(FOLDER / "network.onnx"))
(FOLDER / "outside.onnx.data").unlink(missing_ok=True)  # ONNX would add to it
onnx.save(network, str(FOLDER / "outside.onnx"), save_as_external_data=True, location="outside.onnx.data", size_threshold=8)
note("network.onnx", weights)
same("outside.onnx", "network.onnx")

# TensorFlow
variables = {
    "d_h0/w": random.normal(0, 1, (3, 3, 2, 4)).astype(np.float32),
    "d_h0/biases": np.array([0.5, 1, 1.5, 2], np.float32),
    "global_step": np.array(7, np.int64),
    "mask": np.array([True, False]),
    "twice": random.normal(0, 1, 3),
}
tf.raw_ops.SaveV2(
    prefix=str(FOLDER / "checkpoint"),
    tensor_names=[*variables, "words"],
    shape_and_slices=[""] * (len(variables) + 1),
    tensors=[tf.constant(value) for value in variables.values()] + [tf.constant(["a"])],
)
note("checkpoint.index", variables)


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def encoded(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def masked(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def snappy_index(index):
    """The same table, its one block of entries compressed."""
    footer = index[-48:]
    meta, at = varint(footer, 0)
    meta_size, at = varint(footer, at)
    place, at = varint(footer, at)
    size, at = varint(footer, at)
    entries = index[place : place + size]
    shared, next_ = varint(entries, 0)
    own, next_ = varint(entries, next_)
    length, next_ = varint(entries, next_)
    begin, after = varint(entries, next_ + own)
    long, after = varint(entries, after)
    seal = lambda block, kind: block + bytes([kind]) + struct.pack("<I", masked(block + bytes([kind])))
    block = bytes(cramjam.snappy.compress_raw(index[begin : begin + long]))
    out = seal(block, 1)
    handle = encoded(0) + encoded(len(block))
    key = entries[next_ : next_ + own]
    table = encoded(0) + encoded(own) + encoded(len(handle)) + key + handle + struct.pack("<II", 0, 1)
    names = struct.pack("<II", 0, 1)
    handles = encoded(len(out)) + encoded(len(names))
    out += seal(names, 0)
    handles += encoded(len(out)) + encoded(len(table))
    out += seal(table, 0)
    return out + handles.ljust(40, b"\0") + footer[-8:]


index = (FOLDER / "checkpoint.index").read_bytes()
(FOLDER / "snappy.index").write_bytes(snappy_index(index))
(FOLDER / "snappy.data-00000-of-00001").write_bytes((FOLDER / "checkpoint.data-00000-of-00001").read_bytes())
same("snappy.index", "checkpoint.index")

(FOLDER / "arrays.json").write_text(json.dumps(expected) + "\n")
