import assert from "node:assert/strict";
import { dirname } from "node:path";
import { LAYOUTS } from "../../../../nets/files/layouts.ts";
import { encodeSafetensors } from "../../../../nets/safetensors.ts";
import { dataLock } from "../../../../stages/data/fetch.ts";
import { paperFiles } from "../../../../stages/data/parts/data_folder.ts";
import { drawnChenModel } from "../../../golden/chen_drawn.ts";
import { drawnFlame } from "../../../golden/flame_drawn.ts";
import { tranFiles } from "../../../golden/tran_drawn.ts";
import { goldenBytes } from "../../../nets/files/golden.ts";
import { drawnVgg19 } from "../../../nets/vgg19_weights.ts";
import { withScratch } from "../../scratch.ts";

type Content = string | Uint8Array;

/** Zeros by which Chen's detail network is recognised. */
function chenFine(): Uint8Array {
  return encodeSafetensors(Object.fromEntries(
    Object.entries(LAYOUTS.chenFine.tensors).map(([name, shape]) => [
      name,
      { shape: [...shape], data: new Float32Array(shape.reduce<number>((a, b) => a * b, 1)) },
    ]),
  ));
}

/** Fills a data folder and tells what is found, by what stands behind `paper/`. */
async function found(folder: string, files: Readonly<Record<string, Content>>) {
  for (const [path, content] of Object.entries(files)) {
    Deno.mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
    Deno.writeFileSync(`${folder}/${path}`, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  const rows = await paperFiles(folder, dataLock());
  return new Map(
    rows.map(({ asset, status, says, read }) => [asset.id.slice("paper/".length), { status, says, read }]),
  );
}

Deno.test("an empty data folder lacks all, and says which files no stage reads", () =>
  withScratch(async ({ folder }) => {
    const rows = await found(folder, {});
    assert.ok([...rows.values()].every(({ status }) => status === "absent"));
    assert.equal(rows.get("vgg19/vgg19-dcbb9e9d.pth")?.read, true);
    assert.equal(rows.get("deca/deca_model.tar")?.read, true);
    assert.equal(rows.get("deng/epoch_20.pth")?.read, true);
    assert.equal(rows.get("tran/checkpoint/")?.read, true);
    assert.equal(rows.get("celeba/list_attr_celeba.txt")?.read, false);
  }));

Deno.test("files of the right form are recognised", () =>
  withScratch(async ({ folder }) => {
    const rows = await found(folder, {
      "vgg19/vgg19_relu4_2.safetensors": encodeSafetensors(drawnVgg19()),
      "celeba/img_align_celeba/000001.jpg": "",
      "celeba/list_eval_partition.txt": "000001.jpg 0\n000002.jpg 2\n",
      "celeba/identity_CelebA.txt": "000001.jpg 2880\n",
      "facescape/images/1/1_neutral/0.jpg": "",
      "facescape/images/2/1_neutral/0.jpg": "",
      "facescape/publishable_list_v1.txt": "122, 212, 340",
      "flame/head_template.obj": "# FLAME\nmtllib a.mtl\nv 0 0 0\n",
      "tran/checkpoint/model.index": goldenBytes("checkpoint.index"),
      "tran/checkpoint/checkpoint.data-00000-of-00001": goldenBytes("checkpoint.data-00000-of-00001"),
      "deng/similarity_Lm3D_all.mat": goldenBytes("standard_face.mat"),
      "chen/resources/uv.npz": goldenBytes("stored.npz"),
      "chen/resources/BFM2009_Model.mat": encodeSafetensors(drawnChenModel()),
      "chen/ckpts/ckpt_fine/fine-1.safetensors": chenFine(),
      ...Object.fromEntries([...tranFiles()].map(([name, bytes]) => [`tran/3DMM_definition/${name}`, bytes])),
    });
    const present = (id: string, message: RegExp) => {
      const { status, says } = rows.get(id) ?? assert.fail();
      assert.match(says, message, id);
      assert.equal(status, "present", `${id}: ${says}`);
    };
    present("vgg19/vgg19_relu4_2.safetensors", /VGG-19 of torchvision: a safetensors of 20 tensors.*by their shapes/);
    present("celeba/img_align_celeba/", /1 of 202599 photographs/);
    present("celeba/list_eval_partition.txt", /2 lines of the right form; its hash is not the published/);
    present("celeba/identity_CelebA.txt", /1 lines/);
    present("facescape/images/", /2 persons/);
    present("facescape/publishable_list_v1.txt", /by their beginning/);
    present("flame/head_template.obj", /3 lines/);
    present(
      "chen/resources/",
      /2 files of tensors; it holds the Basel Face Model 2009 with expressions of Chen et al\./,
    );
    present("tran/3DMM_definition/", /a mesh of 1080 vertices and 2030 triangles/);
    assert.match(rows.get("chen/ckpts/")!.says, /1 files of tensors; none holds the coarse network of Chen et al\./);
    present("deng/similarity_Lm3D_all.mat", /the landmarks of Deep3DFaceRecon's standard face: a MATLAB 5 file of 1/);
    assert.match(rows.get("tran/checkpoint/")!.says, /model\.data-00000-of-00001, which is not there/);
    assert.equal(rows.get("vgg19/vgg19-dcbb9e9d.pth")?.status, "absent");
  }));

Deno.test("what is something else is named, with what it is", () =>
  withScratch(async ({ folder }) => {
    const rows = await found(folder, {
      "vgg19/vgg19-dcbb9e9d.pth": encodeSafetensors(drawnVgg19()),
      "celeba/list_eval_partition.txt": "<html>Quota exceeded</html>",
      "celeba/identity_CelebA.txt": "name,person\n",
      "celeba/img_align_celeba/readme.txt": "",
      "facescape/images/1/1_neutral/0.jpg": "",
      "flame/generic_model.pkl": goldenBytes("flame.pkl"),
      "deca/deca_model.tar": goldenBytes("torch_evil.pth"),
      "deca/landmark_embedding.npy": goldenBytes("landmark_embedding.npy"),
      "deca/uv_face_eye_mask.png": "<html>",
      "deng/epoch_20.pth": goldenBytes("torch_zip.pth"),
      "deng/BFM_model_front.mat/x": "",
      "bfm/01_MorphableModel.mat": goldenBytes("model.h5"),
      "chen/ckpts": "a file",
      "tran/checkpoint/x.safetensors": chenFine(),
      "tran/3DMM_definition/vertices_2d_u.dat": new Uint8Array(8),
    });
    const wrong = (id: string, message: RegExp) => {
      const { status, says } = rows.get(id) ?? assert.fail();
      assert.match(says, message, id);
      assert.equal(status, "wrong", id);
    };
    assert.equal(rows.get("vgg19/vgg19-dcbb9e9d.pth")!.status, "other");
    assert.equal(rows.get("deca/landmark_embedding.npy")!.status, "other");
    const says = (id: string, message: RegExp) => assert.match(rows.get(id)!.says, message, id);
    says("vgg19/vgg19-dcbb9e9d.pth", /shapes of VGG-19 .* other bytes than the published file \(sha256 dcbb9e9d/);
    wrong("celeba/list_eval_partition.txt", /it is a web page/);
    wrong("celeba/identity_CelebA.txt", /does not begin with lines such as "000001\.jpg 2880"/);
    wrong("celeba/img_align_celeba/", /holds no photograph/);
    wrong("facescape/images/", /1 persons; at least two/);
    wrong("flame/generic_model.pkl", /Expected is FLAME, and "v_template" is \[20,3\] and must be \[5023,3\]/);
    wrong("deca/deca_model.tar", /"posix\.system"/);
    says("deca/landmark_embedding.npy", /68 landmarks on FLAME's head, and other bytes than the published/);
    wrong("deca/uv_face_eye_mask.png", /^not an image/);
    wrong("deng/epoch_20.pth", /it is a PyTorch archive of \d+ tensors .*Expected is Deep3DFaceRecon/);
    wrong("deng/BFM_model_front.mat", /it is a folder; a file is expected/);
    wrong("bfm/01_MorphableModel.mat", /Basel Face Model of another size.*Expected is the Basel Face Model 2009/);
    wrong("chen/ckpts/", /it is a file; a folder is expected/);
    wrong("tran/checkpoint/", /1 files of tensors; none holds the networks of Tran et al\./);
    wrong("tran/3DMM_definition/", /vertices_2d_v\.dat is not in it/);
  }));

Deno.test("FLAME of another year, whose shapes are the same, is named", () =>
  withScratch(async ({ folder }) => {
    const rows = await found(folder, { "flame/generic_model.pkl": encodeSafetensors(drawnFlame()) });
    const { status, says } = rows.get("flame/generic_model.pkl")!;
    assert.equal(status, "other");
    assert.match(says, /shapes of FLAME, and other bytes than the published file \(sha256 efcd14cc…, 53023716 bytes\)/);
    assert.match(says, /expected is FLAME of 2020; this is of another year \(2023 has the same shapes\)/);
  }));
