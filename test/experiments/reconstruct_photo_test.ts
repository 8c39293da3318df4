/** `reconstruct PHOTO…`, as a person uses it: on packaged photographs, with a small model and an untrained network. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { reconstructPhoto, reconstructPhotos } from "../../experiments/reconstruct_photo.ts";
import { unpacked } from "../../experiments/photograph.ts";
import type { FaceRecord } from "../../stages/methods/head.ts";
import { createImage, type RgbImage } from "../../face/image.ts";
import { uvMap } from "../../face/uv_map.ts";
import { decodeSafetensors, encodeSafetensors, safetensorsMetadata } from "../../nets/safetensors.ts";
import { cast, sourceFolder } from "@ftim/pipeline";
import { decodePhotograph, encodePng } from "../../stages/faces/photograph.ts";
import { dequantise, quantise } from "../../stages/training/trained.ts";
import { asset } from "../assets.ts";
import { quietEngine } from "../engine.ts";
import { maxDifference, randomStream } from "../face/head.ts";
import { readWithThree } from "../face/three/run.ts";
import { assertValidGlb } from "../gltf.ts";
import { topology } from "../stages/face_lab.ts";
import { type Scratch, withScratch } from "../stages/scratch.ts";
import { smallTraining, unpackedTraining } from "./small_training.ts";

/** One store for all tests: a photograph that two of them use is computed once. */
const store = await Deno.makeTempDir({ prefix: "ftim-store-" });
globalThis.addEventListener("unload", () => Deno.removeSync(store, { recursive: true }));

/** `face.json`, which also says where the photograph is. */
type WrittenRecord = FaceRecord & { readonly photograph: { readonly file: string } };

/** Results folder with a packed training, as a clone has it. All tests share one training. */
async function results({ folder, write }: Scratch): Promise<string> {
  await write("results/embedded/trained.safetensors", await smallTraining());
  return `${folder}/results`;
}

function shared({ folder }: Scratch) {
  const said: string[] = [];
  return {
    said,
    here: folder,
    results: `${folder}/results`,
    engine: quietEngine(store),
    say: (line: string) => void said.push(line),
  };
}

function options(scratch: Scratch, photo: string) {
  return { ...shared(scratch), photo: `${scratch.folder}/${photo}` };
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const FILES = [
  "albedo.png",
  "face.glb",
  "face.json",
  "face.mtl",
  "face.obj",
  "face_albedo.glb",
  "overlay.png",
  "texture.png",
];
const ONE = [...FILES, "photograph.png", "source.json"].sort();

/** How much a picture's neighbouring pixels differ, in levels. */
function detailOf({ width, data }: RgbImage): number {
  let sum = 0;
  for (let i = 0; i + 3 * width < data.length; i++) {
    sum += Math.abs(data[i]! - data[i + 3]!) + Math.abs(data[i]! - data[i + 3 * width]!);
  }
  return 255 * sum / data.length / 2;
}

/** The left part of a picture. */
function leftOf(image: RgbImage, width: number): RgbImage {
  const cut = createImage({ width, height: image.height });
  for (let y = 0; y < image.height; y++) {
    cut.data.set(image.data.subarray(3 * y * image.width, 3 * (y * image.width + width)), 3 * y * width);
  }
  return cut;
}

Deno.test("one photograph becomes a textured face mask a face, beside the photograph with the faces pasted in", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    await results(scratch);
    await write("obama.jpg", await asset("train/obama/obama4_crop.jpg"));
    const one = options(scratch, "obama.jpg");
    const [face, ...rest] = await reconstructPhoto({ ...one, output: `${folder}/one` });
    assert.ok(face !== undefined && rest.length === 0);
    assert.deepEqual(names(`${folder}/one`), ONE);
    assert.ok(Math.abs(face.angles.yaw) < 15 && face.seen > 0.4);
    for (const [file, shown] of [["face.glb", "MeshBasicMaterial"], ["face_albedo.glb", "MeshStandardMaterial"]]) {
      const glb = await Deno.readFile(`${folder}/one/${file}`);
      const { material, map, position } = await readWithThree(glb);
      assert.equal(material, shown);
      assert.deepEqual(map, { colorSpace: "srgb", flipY: false, width: 1024, height: 1024 });
      assert.equal(position.length, 3 * 468);
      // numbers of MediaPipe's landmarks; cheeks as seen from the front
      const [forehead, chin, nose, left, right] = [10, 152, 1, 234, 454].map((vertex) => {
        return position.slice(3 * vertex, 3 * vertex + 3);
      });
      const height = forehead![1]! - chin![1]!;
      assert.ok(height > 0.14 && height < 0.22, `the face stands upright and is life-size: ${height} m`);
      assert.ok(nose![2]! > chin![2]!, "the nose points at the viewer");
      assert.ok(left![0]! < nose![0]! && nose![0]! < right![0]!, "the face is not mirrored");
    }
    assert.match(one.said.join("\n"), /The face \(yaw .*% of its texture seen.*photograph\.png/s);

    // What is no face, and what the photograph shows of the face, is the photograph's to the bit; nothing is blurred.
    const before = (await decodePhotograph(await asset("train/obama/obama4_crop.jpg"))).image;
    const after = (await decodePhotograph(await Deno.readFile(`${folder}/one/photograph.png`))).image;
    assert.deepEqual([after.width, after.height], [before.width, before.height]);
    let [same, sum] = [0, 0];
    before.data.forEach((value, i) => {
      sum += Math.abs(value - after.data[i]!);
      if (value === after.data[i]) same++;
    });
    const share = same / before.data.length;
    assert.ok(share > 0.9 && share < 1, `${share} of the photograph is untouched`);
    assert.ok(sum / before.data.length < 0.01);
    const [was, is] = [detailOf(before), detailOf(after)];
    assert.ok(is > 0.98 * was, `of ${was} levels from pixel to pixel ${is} are left`);
    const texture = (await decodePhotograph(await Deno.readFile(`${folder}/one/texture.png`))).image;
    assert.deepEqual([texture.width, texture.height], [1024, 1024]);
    await reconstructPhoto({ ...one, size: 256, output: `${folder}/small` });
    const small = (await decodePhotograph(await Deno.readFile(`${folder}/small/texture.png`))).image;
    assert.deepEqual([small.width, small.height], [256, 256]);
  }));

Deno.test("a photograph that lies on its side gives the same face, and is said to have been turned", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    await results(scratch);
    const photo = await asset("train/obama/obama4_crop.jpg");
    const { default: sharp } = await import("sharp");
    await write("obama.jpg", photo);
    await write("turned.png", await sharp(photo).rotate(90).png().toBuffer());
    const [upright] = await reconstructPhoto({ ...options(scratch, "obama.jpg"), output: `${folder}/upright` });
    const turned = options(scratch, "turned.png");
    const [face] = await reconstructPhoto({ ...turned, output: `${folder}/turned` });
    assert.match(turned.said[0]!, /^Note: the photograph was turned by 270° clockwise, so that faces stand upright$/);
    assert.deepEqual(face!.box, upright!.box);
    for (const name of ["texture.png", "photograph.png"]) {
      const [a, b] = await Promise.all(["upright", "turned"].map((one) => Deno.readFile(`${folder}/${one}/${name}`)));
      assert.deepEqual(a, b, name);
    }
  }));

Deno.test("a photograph whose only face is left out is refused with the reason, alone and beside another such", () =>
  withScratch(async (scratch) => {
    await results(scratch);
    const whole = await decodePhotograph(await asset("train/obama/obama4_crop.jpg"), { path: "whole" });
    // the edge goes through an eye
    await scratch.write("cut.png", await encodePng(leftOf(whole.image, Math.round(0.5 * whole.image.width))));
    const small = { width: 40, height: Math.round(40 * whole.image.height / whole.image.width) };
    const { default: sharp } = await import("sharp");
    const tiny = await sharp(await asset("train/obama/obama4_crop.jpg")).resize(small).png().toBuffer();
    const around = { top: 120, bottom: 120, left: 120, right: 120, background: "#888" };
    await scratch.write("tiny.png", await sharp(tiny).extend(around).png().toBuffer());
    for (const photos of [["cut.png"], ["cut.png", "tiny.png"]]) {
      const { done, failed } = await reconstructPhotos({
        ...shared(scratch),
        photos: photos.map((name) => `${scratch.folder}/${name}`),
      });
      assert.deepEqual([done.length, failed.length], [0, photos.length]);
      assert.match(failed[0]!.reason, /cut\.png: no face can be reconstructed\. .*cut off by the photograph's edge/);
      for (const { reason } of failed.slice(1)) assert.match(reason, /tiny\.png: no face can be reconstructed\./);
    }
  }));

Deno.test("what is no photograph of a face is refused in words that help, before anything is trained", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    await write("text.jpg", "no image");
    await write("poisson.jpg", await asset("decoy/poisson_example.jpg"));
    await write("notes.txt", "no image");
    await write("mine/photograph.png", await asset("decoy/poisson_example.jpg"));
    const refused = (photo: string, message: RegExp, output?: string) =>
      assert.rejects(
        reconstructPhoto({ ...options(scratch, photo), ...(output === undefined ? {} : { output }) }),
        (error: Error) => {
          assert.match(error.message, message);
          return !/stage|survey/.test(error.message);
        },
      );
    await refused("absent.jpg", /absent\.jpg: there is no such file/);
    await refused(".", /not a file; name one photograph/);
    await refused("text.jpg", /text\.jpg: not a picture/);
    await refused("poisson.jpg", /poisson\.jpg: no face was found\. A face must be/);
    await refused("notes.txt", /notes\.txt: not a picture/);
    await refused("mine/photograph.png", /mine\/photograph\.png is a photograph that is to be/, `${folder}/mine`);
    await refused("poisson.jpg", /text\.jpg is a file where a folder must be/, `${folder}/text.jpg`);
  }));

// Places are those of the eyes and the mouth in the photograph of 280×284 pixels that they are painted over.
const SUNGLASSES =
  `<g fill="#101014"><ellipse cx="83" cy="60" rx="42" ry="28"/><ellipse cx="196" cy="58" rx="42" ry="28"/>
  <rect x="20" y="48" width="240" height="9"/></g>`;
const HAND = `<g fill="#b98263" stroke="#8a5c42" stroke-width="2">${
  [0, 1, 2, 3].map((finger) =>
    `<rect x="70" y="${146 + 19 * finger}" width="150" height="19" rx="9" transform="rotate(-8 137 182)"/>`
  ).join("")
}</g>`;
const DRAWING =
  `<g fill="none" stroke="#1b4f9c" stroke-width="7" stroke-linecap="round"><circle cx="240" cy="210" r="120"/>
  <circle cx="200" cy="180" r="9" fill="#1b4f9c"/><circle cx="281" cy="178" r="9" fill="#1b4f9c"/>
  <path d="M240 190 l-12 40 l14 2"/>
  <path d="M185 255 q52 45 112 -4" stroke="#c2352b"/><path d="M130 150 q20 -90 110 -92 q90 4 108 88" stroke="#d9a520"/>
  <path d="M240 330 v110 M240 360 l-90 40 M240 360 l95 36"/></g>`;

/** Something painted over a photograph, or a painting of its own: SVG in pixels of the photograph. */
async function painted(photo: Uint8Array | null, svg: string): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const picture = photo === null
    ? sharp({ create: { width: 480, height: 480, channels: 3, background: "#fffdf5" } })
    : sharp(photo);
  const { width = 480, height = 480 } = photo === null ? {} : await sharp(photo).metadata();
  const layer = Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${svg}</svg>`,
  );
  return await picture.composite([{ input: layer }]).png().toBuffer();
}

/** Share of the pixels of which a channel differs by more than a tenth. */
function changed(before: RgbImage, after: RgbImage): number {
  assert.equal(after.data.length, before.data.length);
  let count = 0;
  for (let i = 0; i < before.data.length; i += 3) {
    if ([i, i + 1, i + 2].some((at) => Math.abs(before.data[at]! - after.data[at]!) > 0.1)) count++;
  }
  return 3 * count / before.data.length;
}

/** The same without colour, as a JPEG of three channels. */
async function greyed(photo: Uint8Array): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return await sharp(await sharp(photo).greyscale().toBuffer()).toColourspace("srgb").jpeg().toBuffer();
}

Deno.test("many photographs: one result each, whatever their names, a page of all, and what has none is named", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    await results(scratch);
    const photo = await asset("train/obama/obama4_crop.jpg");
    const { image: three } = await decodePhotograph(await asset("test/sample1.jpg"));
    const pictures = {
      "john.smith.png": await painted(photo, SUNGLASSES),
      "john.doe.png": await painted(photo, HAND),
      "drawing.jpg": await painted(null, DRAWING),
      ".drawing": await painted(photo, HAND),
      "a/sofa <1> 10.11.12.jpeg": await asset("test/sample2.jpg"),
      "a/back\\slash": photo,
      "a/drawing.png": await greyed(photo),
      "a/hair.jpg": await asset("held/039f/039f.jpg"),
      "a/text.jpg": new TextEncoder().encode("no image"),
      // it ends within the third face
      "group.jpg": await encodePng(leftOf(three, Math.round(0.86 * three.width))),
    };
    for (const [name, picture] of Object.entries(pictures)) await write(`photos/${name}`, picture);
    const many = shared(scratch);
    const photos = [
      "photos/*.png",
      "photos/drawing.jpg",
      "photos/group.jpg",
      "photos/a",
      "photos/.drawing",
      "absent.jpg",
    ];
    const { done, failed, index } = await reconstructPhotos({ ...many, photos });
    const folders = [
      "back_slash",
      "drawing",
      "drawing-2",
      "drawing-3",
      "group",
      "hair",
      "john.doe",
      "john.smith",
      "sofa <1> 10.11.12",
    ];
    assert.deepEqual(names(`${folder}/reconstruction`), [...folders, "index.html"].sort());
    assert.deepEqual(failed.map(({ reason }) => reason.slice(0, 31)), [
      "absent.jpg: there is no such fi",
      "photos/a/text.jpg: not a pictur",
    ]);
    assert.equal(index, "reconstruction/index.html");
    const page = await Deno.readTextFile(`${folder}/${index}`);
    assert.ok(page.includes("<h1>9 photographs</h1>") && page.includes("photos/a/text.jpg: not a picture"));
    assert.ok(page.includes("<h2>sofa &#60;1&#62; 10.11.12</h2>"));
    for (const [, link] of page.matchAll(/(?:src|href)="([^"]*)"/g)) {
      assert.ok((await Deno.stat(`${folder}/reconstruction/${decodeURIComponent(link!)}`)).isFile, `${link}`);
    }

    // Sunglasses, a hand over the mouth and a drawing are reconstructed like any face.
    for (const { photo, folder: where, faces } of done.filter(({ photo }) => !/sofa|group/.test(photo))) {
      assert.deepEqual(names(`${folder}/${where}`), ONE);
      const [face, ...rest] = faces;
      assert.ok(face !== undefined && rest.length === 0, photo);
      assert.ok(Math.abs(face.angles.yaw) < 30 && face.seen > 0.3, `${photo}: ${JSON.stringify(face)}`);
    }

    // Hair that covers a half of a forehead is completed on the mesh, and stays in the photograph as it was.
    const covered = done.find(({ photo }) => photo.includes("hair"))!;
    const [before, after] = await Promise.all(
      [pictures["a/hair.jpg"], await Deno.readFile(`${folder}/${covered.folder}/photograph.png`)]
        .map(async (file) => (await decodePhotograph(file)).image),
    );
    assert.ok(changed(before!, after!) < 0.001, `${changed(before!, after!)} of the photograph changed`);

    // A photograph without colour is said to be one.
    const grey = done.filter(({ faces }) => faces.some(({ colourless }) => colourless));
    assert.deepEqual(grey.map(({ photo }) => photo), ["photos/a/drawing.png"]);
    assert.match(many.said.find((line) => line.startsWith("photos/a/drawing.png"))!, /without colour/);

    // A profile is reconstructed, and less of it is said to have been seen than of other faces.
    const [profile, ...others] = done.find(({ photo }) => photo.includes("sofa"))!.faces;
    assert.equal(others.length, 2);
    assert.deepEqual(names(`${folder}/${profile!.folder}`), FILES);
    assert.ok(profile!.angles.yaw < -45 && others.every(({ seen }) => seen > profile!.seen), JSON.stringify(profile));
    assert.match(many.said.find((line) => line.includes("Face 0 of 3"))!, /yaw -\d+.*% of its texture seen/);
    // The unseen half is completed: no texel of the chart stays without a colour.
    const bytes = await Deno.readFile(`${folder}/${profile!.folder}/texture.png`);
    const texture = (await decodePhotograph(bytes)).image;
    const { inside } = uvMap(topology, texture.width);
    const black = inside.filter((value, i) => value > 0 && Math.max(...texture.data.subarray(3 * i, 3 * i + 3)) === 0);
    assert.ok(black.length < 0.001 * inside.length, `${black.length} texels are black`);

    // The models of all faces are what they claim to be, and fit their photograph.
    let models = 0;
    for (const { folder: each } of done.flatMap(({ faces }) => faces)) {
      const used = await Promise.all(["face.glb", "face_albedo.glb"].map(async (name) => {
        return await assertValidGlb(await Deno.readFile(`${folder}/${each}/${name}`), `${each}/${name}`);
      }));
      assert.deepEqual(used, [["KHR_materials_unlit"], []]);
      const record = JSON.parse(await Deno.readTextFile(`${folder}/${each}/face.json`)) as WrittenRecord;
      for (const name of Object.values(record.files)) assert.ok(FILES.includes(name), name);
      const picture = await Deno.readFile(`${folder}/${each}/${record.photograph.file}`);
      const { image } = await decodePhotograph(picture);
      assert.deepEqual([record.photograph.width, record.photograph.height], [image.width, image.height]);
      const { left, top, width, height } = record.box;
      const [nose] = record.landmarks.points.slice(1);
      assert.equal(record.landmarks.points.length, 468);
      assert.ok(Math.abs(nose![0]! - left - width / 2) < 0.6 * width && nose![1]! > top && nose![1]! < top + height);
      models++;
    }
    assert.ok(models > 10);
    const { default: sharp } = await import("sharp");
    const { comments } = await sharp(`${folder}/${profile!.folder}/albedo.png`).metadata();
    assert.match(comments![0]!.text, /not the person's skin tone/);

    // Several faces have folders from left to right; one at the border is said to be cut off.
    const group = done.find(({ photo }) => photo.includes("group"))!;
    assert.deepEqual(names(`${folder}/${group.folder}`), ["0", "1", "2", "photograph.png", "source.json"]);
    for (const { folder: each } of group.faces) assert.deepEqual(names(`${folder}/${each}`), FILES);
    assert.deepEqual(group.faces.map(({ cutOff }) => cutOff), [[], [], ["right"]]);
    const line = many.said.find((line) => line.startsWith("photos/group.jpg: Face 2 of 3"));
    assert.match(line!, /cut off at the photograph's right/);

    // Again, and nothing moves; alone, a photograph finds the folder that it has.
    const again = await reconstructPhotos({ ...many, photos });
    assert.deepEqual(again.done.map(({ folder }) => folder), done.map(({ folder }) => folder));
    assert.deepEqual(names(`${folder}/reconstruction`), [...folders, "index.html"].sort());
    const alone = await reconstructPhoto(options(scratch, "photos/a/drawing.png"));
    assert.equal(alone[0]!.folder, done.find(({ photo }) => photo === "photos/a/drawing.png")!.folder);

    // A run that fails leaves the earlier result whole; a crop leaves nothing of the faces that it does not show.
    await write("photos/group.jpg", await asset("decoy/poisson_example.jpg"));
    await assert.rejects(reconstructPhoto(options(scratch, "photos/group.jpg")), /no face was found/);
    assert.deepEqual(names(`${folder}/${group.folder}`), ["0", "1", "2", "photograph.png", "source.json"]);
    await write("photos/group.jpg", photo);
    const [crop] = await reconstructPhoto(options(scratch, "photos/group.jpg"));
    assert.equal(crop!.folder, group.folder);
    assert.deepEqual(names(`${folder}/${group.folder}`), ONE);
    // the page that is there shows it
    const shown = new Set(
      [...(await Deno.readTextFile(`${folder}/${index}`)).matchAll(/src="([^"]*)"/g)].map(([, link]) =>
        decodeURIComponent(link!)
      ),
    );
    const name = group.folder.split("/").at(-1);
    assert.deepEqual([shown.has(`${name}/overlay.png`), shown.has(`${name}/2/overlay.png`)], [true, false]);
  }));

Deno.test("photographs of one person become one face; those of others, or of several faces, are refused", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    await results(scratch);
    const photo = await asset("train/obama/obama4_crop.jpg");
    const { default: sharp } = await import("sharp");
    await write("front.jpg", photo);
    await write("copy.jpg", photo);
    await write("dim.png", await sharp(photo).linear(0.8, 10).png().toBuffer());
    await write("other.jpg", await asset("held/005m/005m.jpg"));
    await write("group.jpg", await asset("test/sample1.jpg"));
    await write("poisson.jpg", await asset("decoy/poisson_example.jpg"));
    const many = { ...shared(scratch), size: 256, samePerson: true } as const;
    const { done, failed, index } = await reconstructPhotos({ ...many, photos: ["front.jpg", "dim.png"] });
    assert.deepEqual([failed, index, done.length], [[], null, 1]);
    const [{ folder: where, faces, views }] = done as [typeof done[number]];
    assert.equal(where, "reconstruction/front+dim");
    assert.deepEqual(names(`${folder}/${where}`), ONE);
    assert.deepEqual([faces.length, views!.map(({ photo }) => photo)], [1, ["front.jpg", "dim.png"]]);
    assert.ok(Math.abs(views!.reduce((sum, { share }) => sum + share, 0) - 1) < 0.02, JSON.stringify(views));
    const record = JSON.parse(await Deno.readTextFile(`${folder}/${where}/face.json`));
    assert.deepEqual([record.views, record.texture], [views, { size: 256 }]);
    assert.ok(many.said.some((line) => /^dim\.png \(yaw -?\d+°\) gives \d+% of what was seen$/.test(line)));
    const turned = await reconstructPhotos({ ...many, photos: ["dim.png", "front.jpg"], output: where });
    assert.deepEqual([turned.failed, turned.done.length], [[], 1], "in another order it is the same person's");
    const refused = async (photos: string[], reason: RegExp) => {
      const result = await reconstructPhotos({ ...many, photos });
      assert.deepEqual([result.done, result.failed.length], [[], 1]);
      assert.match(result.failed.map(({ reason }) => reason).join("\n"), reason);
    };
    await refused(["front.jpg"], /--same-person takes two or more different photographs/);
    await refused(["front.jpg", "copy.jpg"], /--same-person takes two or more different photographs/);
    await refused(
      ["front.jpg", "other.jpg"],
      /^front\.jpg and other\.jpg plainly show two persons \(similarity 0\.\d+; of one/,
    );
    await refused(["front.jpg", "group.jpg"], /^group\.jpg: it shows \d faces \(.*cut out the one that is$/);
    await refused(["front.jpg", "poisson.jpg"], /^poisson\.jpg: no face was found/);
    await refused(["front.jpg", "absent.jpg"], /^absent\.jpg: there is no such file/);
    assert.deepEqual(names(`${folder}/reconstruction`), ["front+dim"]);
  }));

Deno.test("another training's networks are used where they are named, and damaged ones are refused", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    await results(scratch);
    await write("obama.jpg", await asset("train/obama/obama4_crop.jpg"));
    const one = options(scratch, "obama.jpg");
    await reconstructPhoto({ ...one, output: "committed" });
    const packed = await smallTraining();
    const tensors = decodeSafetensors(packed);
    // an older file, which has no hash of its values
    const { sha256: _, ...about } = safetensorsMetadata(packed);
    tensors["model/albedoMean"]!.data.fill(0.5);
    await write("mine.safetensors", encodeSafetensors(tensors, about));
    await reconstructPhoto({ ...one, output: "mine", trained: "mine.safetensors" });
    const [before, after] = await Promise.all(
      ["committed", "mine"].map((name) => Deno.readFile(`${folder}/${name}/albedo.png`)),
    );
    assert.notDeepEqual(after, before);
    await write("results/embedded/trained.sha256", `${"0".repeat(64)}  trained.safetensors\n`);
    await assert.rejects(
      reconstructPhoto(one),
      /trained\.safetensors is damaged.*git checkout -- .*deno task reproduce/,
    );
    const old = Object.entries(tensors).filter(([name]) => !name.startsWith("correction/"));
    await write("old.safetensors", encodeSafetensors(Object.fromEntries(old), about));
    await assert.rejects(
      reconstructPhoto({ ...one, trained: "old.safetensors" }),
      /no mesh correction.*deno task reproduce/,
    );
  }));

Deno.test("a packed training unpacks to the same mesh correction, and to nearly the same network and model", () =>
  withScratch(async (scratch) => {
    const { folder, run } = scratch;
    await unpackedTraining(scratch);
    const { weights, model, correction } = unpacked(cast(sourceFolder(`${folder}/results/embedded`), "trained"));
    const { trees } = await run({ weights, model, correction });
    const trained = await Deno.readFile(`${folder}/weights/network.safetensors`);
    const network = await trees.weights.bytes("network.safetensors");
    assert.deepEqual(safetensorsMetadata(network), safetensorsMetadata(trained));
    const unpackedNetwork = decodeSafetensors(network);
    for (const [name, { shape, data }] of Object.entries(decodeSafetensors(trained))) {
      assert.deepEqual(unpackedNetwork[name]!.shape, shape);
      // Half precision has eleven bits: it is off by a part in 2^11, or by half of the smallest half.
      data.forEach((value, i) => {
        assert.ok(
          Math.abs(unpackedNetwork[name]!.data[i]! - value) <= Math.max(Math.abs(value) / 2 ** 11, 2 ** -25),
          name,
        );
      });
    }
    assert.deepEqual(
      decodeSafetensors(await trees.correction.bytes("correction.safetensors")),
      decodeSafetensors(await Deno.readFile(`${folder}/correction/correction.safetensors`)),
    );
    const before = decodeSafetensors(await Deno.readFile(`${folder}/model/model.safetensors`));
    const after = decodeSafetensors(await trees.model.bytes("model.safetensors"));
    for (const [name, { shape, data }] of Object.entries(before)) {
      assert.deepEqual(after[name]!.shape, shape);
      const most = Array.from(data).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const bound = name === "albedoBasis" ? most / 254 * 1.001 : 0;
      assert.ok(maxDifference(after[name]!.data, data) <= bound, name);
    }
  }));

Deno.test("quantise() is off by half a step at most and keeps zero and each row's extreme", () => {
  const next = randomStream(1);
  const values = Float32Array.from({ length: 300 }, (_, i) => (i < 100 ? 1e-3 : i < 200 ? 5 : 0) * (next() - 0.5));
  const { codes, scales } = quantise(values, 3);
  const back = dequantise(codes, scales);
  values.forEach((value, i) => assert.ok(Math.abs(value - back[i]!) <= 0.501 * scales[Math.floor(i / 100)]!));
  assert.ok(back.subarray(200).every((value) => value === 0));
});
