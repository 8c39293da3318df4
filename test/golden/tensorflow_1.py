"""Golden values of Tran's and Chen's networks: the authors' own functions, run by TensorFlow 2 in its mode of version 1.

Run with: python3 test/golden/tensorflow_1.py TRAN CHEN
TRAN is a checkout of tranluan/Nonlinear_Face_3DMM (662098a), CHEN one of cyj907/unsupervised-detail-layer (683b7ca),
for reading and running only. Python 3.11, tensorflow-cpu 2.15.1. It compares with tran.json, tran_faces.json, chen.json
and chen_faces.json, which tran.py, tran_faces.py, chen.py and chen_faces.py wrote without TensorFlow, and prints how far
apart they are. What the authors' files import and these functions do not need is absent: their rasterisers, OpenCV.
`tf.contrib.layers.batch_norm` is gone from TensorFlow 2; in its place stands `fused_batch_norm` with its variables.
"""

import importlib.util
import json
import os
import sys
import types
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow.compat.v1 as tf

sys.path.insert(0, str(Path(__file__).parent))
from drawn import drawn_tensorflow, faces, uniform

tf.disable_v2_behavior()
tran, chen = map(Path, sys.argv[1:])
here = Path(__file__).parent


def batch_norm(x, epsilon, scope, is_training, reuse, **_):
    assert not is_training
    with tf.variable_scope(scope, reuse=reuse):
        parts = [tf.get_variable(name, [x.shape[-1]]) for name in ("gamma", "beta", "moving_mean", "moving_variance")]
    return tf.nn.fused_batch_norm(x, *parts, epsilon=epsilon, is_training=False)[0]


tf.contrib = types.SimpleNamespace(layers=types.SimpleNamespace(batch_norm=batch_norm))


def absent(name, **members):
    sys.modules[name] = types.ModuleType(name)
    for member, value in members.items():
        setattr(sys.modules[name], member, value)


def module(name, path, *replaced):
    """A file of the authors' as a module, some text of it replaced; TensorFlow is its version 1."""
    text = path.read_text().replace("import tensorflow as tf", "")
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new)
    made = types.ModuleType(name)
    made.__file__, made.tf = str(path), tf
    sys.modules[name] = made
    exec(compile(text, str(path), "exec"), made.__dict__)
    return made


def session():
    """With every variable drawn, and their shapes."""
    sess, shapes = tf.Session(), {}
    for variable in tf.global_variables():
        name, shape = variable.name[:-2], tuple(variable.shape.as_list())
        variable.load(drawn_tensorflow(name, shape), sess)
        shapes[name] = list(shape)
    return sess, shapes


def numbers(text):
    return np.array(text.split(" "), float)


def compare(what, found, expected):
    scale = np.abs(expected).max()
    print(f"{what}: {np.abs(np.asarray(found).ravel() - expected).max() / scale:.2g}")


def tran_networks():
    golden = json.loads((here / "tran.json").read_text())
    absent("tensorflow.contrib")
    absent("tensorflow.contrib.slim")
    absent("rendering_ops")
    absent("utils")
    absent("progress")
    absent("progress.bar", Bar=None)
    module("ops", tran / "ops.py", ("from tensorflow.python.framework import ops", ""))
    half = ("self.gfc_dim/2", "self.gfc_dim//2")
    slim = ("import tensorflow.contrib.slim as slim", "")
    whole = module("whole", tran / "model_non_linear_3DMM.py", half, slim)
    parts = module("parts", tran / "model_non_linear_3DMM_proxy.py", half, slim)
    for name, kind in (("whole", whole), ("parts", parts)):
        tf.reset_default_graph()
        model = object.__new__(kind.DCGAN)
        sizes = {"gf_dim": 32, "gfc_dim": 320, "mDim": 8, "ilDim": 27, "c_dim": 3, "texture_size": [192, 224], "bns": {}}
        model.__dict__.update(sizes)
        image = tf.constant(2 * faces(2, 224) - 1)
        shape, texture, m, light = model.generator_encoder(image, is_training=False)
        if name == "whole":
            shape = model.generator_decoder_shape_2d(shape, is_training=False)
            albedo = model.generator_decoder_albedo(texture, is_training=False)
        else:
            shape = model.generator_decoder_shape_2d_partbase_v2_relu(shape, is_training=False)[1]
            albedo = model.generator_decoder_albedo_part_based_v2_relu(texture, is_training=False)[1]
        sess, shapes = session()
        told = golden[name]
        # the proxy's own ends are in the checkpoint too
        more = {key: size for key, size in shapes.items() if told["tensors"].get(key) != size}
        assert not more and set(shapes) == set(told["tensors"]), more
        m, light, shape, albedo = sess.run([m, light, shape, albedo])
        compare(f"Tran {name} camera", m, numbers(told["camera"]))
        compare(f"Tran {name} light", light, numbers(told["light"]))
        for i in range(2):
            compare(f"Tran {name} shape", shape[i].ravel()[:: golden["every"]], numbers(told["shape"][i]))
            compare(f"Tran {name} albedo", albedo[i].ravel()[:: golden["every"]], numbers(told["albedo"][i]))
        sess.close()


def tran_rendering():
    tf.reset_default_graph()
    argv, out, sys.stdout = sys.argv, sys.stdout, open(os.devnull, "w")
    spec = importlib.util.spec_from_file_location("drawn_faces", here / "tran_faces.py")
    drawn = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawn)
    sys.stdout = out
    count = drawn.F
    tri = np.append(drawn.tri.T, [[drawn.V]] * 3, 1).astype(np.int32)
    around = np.full((8, drawn.V), count, np.int32)
    for vertex in range(drawn.V):
        ring = np.nonzero((drawn.tri == vertex).any(1))[0]
        around[: len(ring), vertex] = ring
    texel = np.where(drawn.inside, drawn.texel, count).reshape(drawn.HEIGHT, drawn.WIDTH).astype(np.int32)
    u, v = (np.append(drawn.places[:, k], 0).astype(np.float32) for k in (0, 1))
    absent(
        "_3dmm_utils",
        load_3DMM_tri=lambda: tri,
        load_3DMM_vertex_tri=lambda: around,
        load_3DMM_vt2pixel=lambda: (u, v),
        load_3DMM_tri_2d=lambda: texel,
        load_3DMM_tri_2d_barycoord=lambda: drawn.weights.reshape(drawn.HEIGHT, drawn.WIDTH, 3).astype(np.float32),
        load_3DMM_kpts=lambda: np.arange(drawn.V).reshape(-1, 1),
        np=np,
        math=__import__("math"),
    )
    code = (tran / "rendering_ops.py").read_text()
    first, rest = code.index("_cuda_op_module_v2_sz224"), code.index("def warp_texture")
    ops = module("rendering", tran / "rendering_ops.py", (code[first:rest], ""))
    golden = json.loads((here / "tran_faces.json").read_text())
    m = tf.constant(drawn.cameras.reshape(2, 8), tf.float32)
    maps, rows, columns = tf.constant(drawn.maps, tf.float32), *(np.tile(one[None, None, :-1], (2, 1, 1)) for one in (u, v))
    shape = tf.reshape(ops.bilinear_sampler(maps, columns, rows), [2, -1]) * 1e4 + drawn.mean.ravel().astype(np.float32)
    # one vertex behind the last, which their graphics cards read as 0 where a texel has no triangle
    inside = tf.constant(drawn.inside.reshape(drawn.HEIGHT, drawn.WIDTH))
    ops.load_3DMM_tri = lambda: np.minimum(tri, drawn.V - 1)
    shade = ops.generate_shade(tf.constant(drawn.light.reshape(2, 27), tf.float32), m, shape)
    landmarks = ops.compute_landmarks(m, shape)
    with tf.Session() as sess:
        shade, (column, row), inside = sess.run([shade, landmarks, inside])
    for i in range(2):
        texture = np.clip(drawn.albedo[i] * shade[i], 0, 1)
        every = golden["every"]["texture"]
        found, known = texture.ravel()[::every], np.repeat(inside[..., None], 3, 2).ravel()[::every]
        compare("Tran texture", found[known], numbers(golden["texture"][i])[known])
        expected, every = numbers(golden["vertices"][i]), golden["every"]["vertices"]
        places = np.concatenate([column[i] + 0.5, row[i] + 0.5, 0 * row[i]], 1).ravel()[::every]
        flat = np.arange(len(places)) * every % 3 < 2
        compare("Tran vertices", places[flat], expected[flat])


def nested(value):
    """As scipy.io has a field of a MATLAB structure."""
    return [[value]]


def vgg_file():
    layers = []
    for block, (count, width, inputs) in enumerate([(2, 64, 3), (2, 128, 64), (3, 256, 128), (3, 512, 256), (3, 512, 512)], 1):
        for number in range(1, count + 1):
            kernel = np.zeros((3, 3, inputs, width), np.float32)
            layers.append({"name": nested(f"conv{block}_{number}"), "type": nested("conv"), "stride": nested([1])})
            layers[-1]["weights"] = nested((kernel, np.zeros((1, width), np.float32)))
            layers.append({"name": nested(f"relu{block}_{number}"), "type": nested("relu")})
            inputs = width
        pool = {"name": nested(f"pool{block}"), "type": nested("pool"), "stride": nested([2]), "pool": nested([2, 2])}
        layers.append(pool)
    for name, shape in (("fc6", (7, 7, 512, 4096)), ("fc7", (1, 1, 4096, 4096))):
        layers.append({"name": nested(name), "type": nested("conv"), "stride": nested([1])})
        layers[-1]["weights"] = nested((np.zeros(shape, np.float32), np.zeros((1, 4096), np.float32)))
        layers.append({"name": nested(f"relu{name[2]}"), "type": nested("relu")})
    normalization = {"averageImage": nested(nested(np.full(3, 100.0))), "imageSize": nested([224, 224, 3])}
    meta = {"classes": nested({"description": nested([])}), "normalization": nested(normalization)}
    return {"layers": [[[layer] for layer in layers]], "meta": meta}


def chen_networks():
    golden = json.loads((here / "chen.json").read_text())
    absent("scipy")
    absent("scipy.io", loadmat=lambda _: vgg_file())
    sys.modules["scipy"].io = sys.modules["scipy.io"]
    for name in ("cv2", "skimage", "skimage.io", "imageio", "tools", "tools.basis_utils", "tools.uv_utils"):
        absent(name)
    sys.modules["tools"].basis_utils, sys.modules["tools"].uv_utils = None, None
    absent("tools.rasterize_triangles", rasterize_clip_space=None)
    module("tools.const", chen / "tools/const.py")
    render = module("tools.render_utils", chen / "tools/render_utils.py")
    module("vggface", chen / "vggface.py", ("import tensorflow.contrib.layers as Layers", ""))
    code = module("face_model", chen / "face_model.py")

    tf.reset_default_graph()
    bases = {"bases_shape": np.zeros((80, 3)), "bases_exp": np.zeros((29, 3)), "bases_tex": np.zeros((80, 3))}
    images = tf.image.resize_images(tf.constant(255 * faces(2, 300)), (224, 224))
    codes = code.CoarseModel("", bases).encoder3DMM(images)
    sess, shapes = session()
    assert shapes == golden["coarse"]["tensors"], "other variables"
    found = np.concatenate(sess.run(codes), 1)
    found[:, -27:] += np.tile([0.3, 0.3] + 7 * [0], 3)
    for i in range(2):
        compare("Chen coarse", found[i], numbers(golden["coarse"]["codes"][i]))
    sess.close()

    tf.reset_default_graph()
    picture = faces(1, 512)
    drawn = np.clip(picture + 0.1 * (uniform("render", picture.size).reshape(picture.shape) - 0.5), 0, 1).astype(np.float32)
    maps = [tf.constant((255 * one - 127.5) / 127.5) for one in (picture, drawn)]
    displacement = code.FineModel().generator(*maps, None)
    sess, shapes = session()
    assert shapes == golden["fine"]["tensors"], "other variables"
    found = sess.run(displacement).ravel()[:: golden["fine"]["every"]]
    compare("Chen fine", found, numbers(golden["fine"]["displacement"]))
    sess.close()
    return render


def chen_rendering(render):
    tf.reset_default_graph()
    out, sys.stdout = sys.stdout, open(os.devnull, "w")
    spec = importlib.util.spec_from_file_location("drawn_faces", here / "chen_faces.py")
    drawn = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawn)
    sys.stdout = out
    golden = json.loads((here / "chen_faces.json").read_text())
    # basis_utils.py wants OpenCV and scikit-image at its top; get_geometry and get_texture are these sums
    xyz = [drawn.model["mu_shape"] + drawn.model["mu_exp"] + drawn.codes["shape"][i] @ drawn.bases["shape"][:, :80].T
           + drawn.codes["exp"][i] @ drawn.bases["exp"].T for i in range(2)]  # fmt: skip
    rgb = np.stack([one for _, one, *_ in drawn.told]).astype(np.float32)
    pairs = np.array(sorted({(v, t) for t, row in enumerate(drawn.tri) for v in row}), np.int32)
    trans = render.Projector.calc_trans_matrix(tf.constant(drawn.poses, tf.float32), 300)
    places, normals, _, _ = render.Projector.project(
        tf.constant(np.stack(xyz).reshape(2, -1, 3), tf.float32),
        trans,
        tf.constant(pairs),
        tf.constant(drawn.tri.astype(np.int32)),
        300,
        300,
        None,
        "projector",
    )
    light = drawn.light.reshape(2, 27) - np.tile([0.3, 0.3] + 7 * [0], 3)
    colours, _ = render.Shader.sh_shader(
        tf.expand_dims(normals, 1), None, tf.constant(light, tf.float32), tf.constant(rgb[:, None])
    )
    with tf.Session() as sess:
        places, colours = sess.run([places, colours])
    for i in range(2):
        expected, every = numbers(golden["vertices"][i]), golden["every"]["vertices"]
        flat = np.arange(len(expected)) * every % 3 < 2
        compare("Chen vertices", places[i].ravel()[::every][flat], expected[flat])
        found = np.clip(colours[i, 0], 0, 1).ravel()[:: golden["every"]["colours"]]
        compare("Chen colours", found, numbers(golden["colours"][i]))


tran_networks()
tran_rendering()
chen_rendering(chen_networks())
