"""What Blender imports and shows of the two GLB files of a face.

Run with: deno run -A test/face/viewed_face.ts FOLDER
then: python3 test/golden/blender.py FOLDER test/golden/blender.json (bpy 5.2.3 from PyPI, Python 3.13)
The face is rendered from the front with Cycles, in the dark and under a lamp beside the camera. Blender has z up, and
the importer turns y up to it; the front is −y. Colours are sRGB 0..255, lengths metres.
"""

import hashlib
import json
import math
import platform
import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np

SIDE = 64
WIDTH = 0.32  # what the camera sees


def open_file(path):
    """A scene with nothing but what the file holds."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(path))
    return {"objects": [[thing.name, thing.type] for thing in bpy.data.objects]}


def mesh():
    [face] = [thing for thing in bpy.data.objects if thing.type == "MESH"]
    points = np.array([face.matrix_world @ vertex.co for vertex in face.data.vertices], float)
    outward = [
        (face.matrix_world.to_3x3() @ triangle.normal).dot(face.matrix_world @ triangle.center) > 0
        for triangle in face.data.polygons
    ]
    normals = np.array([corner.vector for corner in face.data.corner_normals])
    return {
        "vertices": len(points),
        "triangles": len(outward),
        "outward": sum(outward),
        "finite": bool(np.isfinite(normals).all()),
        "low": points.min(0).round(6).tolist(),
        "high": points.max(0).round(6).tolist(),
        "foremost": int(points[:, 1].argmin()),
    }


def material():
    [one] = bpy.data.materials
    [image] = bpy.data.images
    links = [[link.from_node.type, link.to_node.type, link.to_socket.name] for link in one.node_tree.links]
    return {"links": sorted(links), "image": list(image.size), "colours": image.colorspace_settings.name}


def camera():
    scene = bpy.context.scene
    data = bpy.data.cameras.new("camera")
    data.type, data.ortho_scale = "ORTHO", WIDTH
    scene.camera = bpy.data.objects.new("camera", data)
    scene.camera.location, scene.camera.rotation_euler = (0, -1, 0), (math.pi / 2, 0, 0)
    scene.collection.objects.link(scene.camera)
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 16
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.dither_intensity = 0
    scene.view_settings.view_transform = "Standard"  # the default one changes all colours


def lamp():
    data = bpy.data.lights.new("lamp", "SUN")
    data.energy = 3
    thing = bpy.data.objects.new("lamp", data)
    thing.rotation_euler = (math.pi / 2, 0, 0)
    bpy.context.scene.collection.objects.link(thing)


def render(points):
    """The colours of a render at points to the right and up."""
    with tempfile.TemporaryDirectory() as folder:
        bpy.context.scene.render.filepath = f"{folder}/render.png"
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(f"{folder}/render.png")
        image.colorspace_settings.name = "Non-Color"
        pixels = np.array(image.pixels).reshape(SIDE, SIDE, 4)  # rows from the bottom
        bpy.data.images.remove(image)
    at = [[int((value / WIDTH + 0.5) * SIDE) for value in point] for point in points]
    return [(255 * pixels[y, x, :3]).round().astype(int).tolist() for x, y in at]


def look(path, points):
    found = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **open_file(path), **mesh(), **material()}
    camera()
    found["dark"] = render(points)
    lamp()
    return {**found, "lit": render(points)}


folder = Path(sys.argv[1])
points = json.loads((folder / "points.json").read_text())
files = {path.name: look(path, points) for path in sorted(folder.glob("*.glb"))}
versions = {"blender": bpy.app.version_string, "python": platform.python_version()}
Path(sys.argv[2]).write_text(json.dumps({"versions": versions, "files": files}) + "\n")
