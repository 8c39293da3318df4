/** `reconstruct PHOTO`, as a person uses it: on packaged photographs, with a small model and an untrained network. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { WebIO } from "@gltf-transform/core";
import { reconstructPhoto } from "../../experiments/reconstruct_photo.ts";
import { unpacked } from "../../experiments/photograph.ts";
import { fitMorphable } from "../../face/fit_morphable.ts";
import { createImage } from "../../face/image.ts";
import { encodeCorrection, noCorrection } from "../../face/mesh_correction.ts";
import { encodeMorphable } from "../../face/morphable.ts";
import { uvMap } from "../../face/uv_map.ts";
import { ftimParameters } from "../../nets/ftim.ts";
import { drawParameters } from "../../nets/parameters.ts";
import { decodeSafetensors, encodeSafetensors, safetensorsMetadata } from "../../nets/safetensors.ts";
import { cast, publish, silentReporter, sourceFolder } from "@ftim/pipeline";
import { encodeNetwork } from "../../stages/training/parts/network_file.ts";
import { decodePhotograph, encodePng } from "../../stages/faces/photograph.ts";
import { ftimStoredShape } from "../../stages/training/train.ts";
import { dequantise, packTrained, quantise } from "../../stages/training/trained.ts";
import { asset } from "../assets.ts";
import { maxDifference, randomStream } from "../face/head.ts";
import { dome, posed, topology } from "../stages/face_lab.ts";
import { type Scratch, withScratch } from "../stages/scratch.ts";

const shape = ftimStoredShape.parse({ widths: [8, 8], fullWidth: 8, codeLength: 5 });

let packed: Promise<Uint8Array> | undefined;

/** Results folder with a packed training, as a clone has it. All tests share one training. */
async function results({ folder, write }: Scratch): Promise<string> {
  await write("results/embedded/trained.safetensors", await (packed ??= pack()));
  return `${folder}/results`;
}

async function pack(): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  await withScratch(async (scratch) => {
    const path = `${await unpackedTraining(scratch)}/trained.safetensors`;
    bytes = await Deno.readFile(path);
  });
  return bytes!;
}

/** Writes a training and packs it: the folder of the packed file. What it was packed from is beside it. */
async function unpackedTraining({ folder, write, run }: Scratch): Promise<string> {
  const faces = [0.8, 1, 1.2].flatMap((depth, person) =>
    [0.97, 1.03].map((width) => ({ identity: `${person}`, vertices: posed(0, dome({ depth, width })) }))
  );
  const albedo = (tone: number) =>
    Float32Array.from(
      { length: 3 * 256 * 256 },
      (_, i) => tone * [0.8, 0.6, 0.5][i % 3]! + 0.05 * Math.sin(i * tone / 5e4),
    );
  const model = fitMorphable(faces, {
    albedos: [0.7, 0.9, 1.1].map(albedo),
    components: { identities: 2, expressions: 2, albedos: 2 },
    topology,
  });
  await write("weights/network.safetensors", encodeNetwork(drawParameters(ftimParameters(shape), 1), shape));
  await write("model/model.safetensors", encodeSafetensors(encodeMorphable(model)));
  const correction = encodeCorrection(noCorrection(model.mean));
  correction.coefficients.data.fill(1e-3);
  await write("correction/correction.safetensors", encodeSafetensors(correction, { ridge: "3" }));
  const { trees } = await run({
    trained: packTrained({
      weights: cast(sourceFolder(`${folder}/weights`), "weights"),
      model: cast(sourceFolder(`${folder}/model`), "model"),
      correction: cast(sourceFolder(`${folder}/correction`), "correction"),
    }),
  });
  await publish(trees.trained, `${folder}/results/embedded`);
  return `${folder}/results/embedded`;
}

function options({ folder }: Scratch, photo: string) {
  const said: string[] = [];
  const engine = { store: `${folder}/../store`, reporter: silentReporter() };
  return {
    said,
    photo: `${folder}/${photo}`,
    results: `${folder}/results`,
    engine,
    say: (line: string) => void said.push(line),
  };
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const FILES = ["albedo.png", "face.json", "head.glb", "overlay.png", "texture.png"];

Deno.test("one photograph becomes a textured head a face, beside the photograph with the faces pasted in", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    await results(scratch);
    await write("obama.jpg", await asset("train/obama/obama4_crop.jpg"));
    const one = options(scratch, "obama.jpg");
    const [face, ...rest] = await reconstructPhoto({ ...one, output: `${folder}/one` });
    assert.ok(face !== undefined && rest.length === 0);
    assert.deepEqual(names(`${folder}/one`), [...FILES, "photograph.png"].sort());
    assert.ok(Math.abs(face.angles.yaw) < 15 && face.seen > 0.4);
    const glb = await Deno.readFile(`${folder}/one/head.glb`);
    const root = (await new WebIO().readBinary(glb)).getRoot();
    const position = root.listMeshes()[0]!.listPrimitives()[0]!.getAttribute("POSITION")!.getArray()!;
    const [forehead, chin, nose] = [10, 152, 1].map((vertex) => position.slice(3 * vertex, 3 * vertex + 3));
    const height = forehead![1]! - chin![1]!;
    assert.ok(height > 0.14 && height < 0.22, `the head stands upright and is life-size: ${height} m`);
    assert.ok(nose![2]! > chin![2]!, "the nose points at the viewer");
    assert.match(one.said.join("\n"), /The face \(yaw .*% of its texture seen.*photograph\.png/s);

    // The untrained network keeps what is seen: the face looks as it did, and what is not face is the photograph's to
    // the bit.
    const before = (await decodePhotograph(await asset("train/obama/obama4_crop.jpg"))).image;
    const after = (await decodePhotograph(await Deno.readFile(`${folder}/one/photograph.png`))).image;
    assert.deepEqual([after.width, after.height], [before.width, before.height]);
    let [same, sum] = [0, 0];
    before.data.forEach((value, i) => {
      sum += Math.abs(value - after.data[i]!);
      if (value === after.data[i]) same++;
    });
    const share = same / before.data.length;
    assert.ok(share > 0.2 && share < 0.9, `${share} of the photograph is untouched`);
    assert.ok(sum / before.data.length < 0.05);
  }));

Deno.test("several faces get folders from left to right; a face at the border is said to be cut off", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    await results(scratch);
    const { image } = await decodePhotograph(await asset("test/sample1.jpg"));
    // The photograph ends within the third face.
    const width = Math.round(0.86 * image.width);
    const cut = createImage({ width, height: image.height });
    for (let y = 0; y < image.height; y++) {
      cut.data.set(image.data.subarray(3 * y * image.width, 3 * (y * image.width + width)), 3 * y * width);
    }
    await write("group.png", await encodePng(cut));
    const group = options(scratch, "group.png");
    const faces = await reconstructPhoto({ ...group, output: `${folder}/group` });
    assert.deepEqual(names(`${folder}/group`), ["0", "1", "2", "photograph.png"]);
    for (const { folder } of faces) assert.deepEqual(names(folder), FILES);
    assert.deepEqual(faces.map(({ cutOff }) => cutOff), [[], [], ["right"]]);
    assert.match(group.said[2]!, /Face 2 of 3.*cut off at the photograph's right/);
  }));

Deno.test("what is no photograph of a face is refused in words that help, before anything is trained", () =>
  withScratch(async (scratch) => {
    const { write } = scratch;
    await write("text.jpg", "no image");
    await write("poisson.jpg", await asset("decoy/poisson_example.jpg"));
    await write("notes.txt", "no image");
    const refused = (photo: string, message: RegExp) =>
      assert.rejects(reconstructPhoto(options(scratch, photo)), message);
    await refused("absent.jpg", /absent\.jpg: there is no such file/);
    await refused(".", /not a file; name one photograph/);
    await refused("text.jpg", /text\.jpg: not an image/);
    await refused("poisson.jpg", /poisson\.jpg: no face was found\. A face must be/);
    await refused("notes.txt", /no photographs.*notes\.txt/);
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

Deno.test("sunglasses, a hand over the mouth and a drawing of a face are reconstructed like any face", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    await results(scratch);
    const photo = await asset("train/obama/obama4_crop.jpg");
    const pictures = {
      sunglasses: await painted(photo, SUNGLASSES),
      hand: await painted(photo, HAND),
      drawing: await painted(null, DRAWING),
    };
    for (const [name, picture] of Object.entries(pictures)) {
      await write(`${name}.png`, picture);
      const [face, ...rest] = await reconstructPhoto({
        ...options(scratch, `${name}.png`),
        output: `${folder}/${name}`,
      });
      assert.ok(face !== undefined && rest.length === 0, name);
      assert.deepEqual(names(`${folder}/${name}`), [...FILES, "photograph.png"].sort());
      assert.ok(Math.abs(face.angles.yaw) < 30 && face.seen > 0.3, `${name}: ${JSON.stringify(face)}`);
    }
  }));

Deno.test("a profile is reconstructed, and less of it is said to have been seen than of other faces", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    await results(scratch);
    await write("sofa.jpg", await asset("test/sample2.jpg"));
    const sofa = options(scratch, "sofa.jpg");
    const faces = await reconstructPhoto({ ...sofa, output: `${folder}/sofa` });
    assert.equal(faces.length, 3);
    const [profile, ...others] = faces;
    assert.deepEqual(names(profile!.folder), FILES);
    assert.ok(profile!.angles.yaw < -45 && others.every(({ seen }) => seen > profile!.seen), JSON.stringify(profile));
    assert.match(sofa.said[0]!, /yaw -\d+.*% of its texture seen/);
    // The unseen half is completed: no texel of the chart stays without a colour.
    const texture = (await decodePhotograph(await Deno.readFile(`${profile!.folder}/texture.png`))).image;
    const { inside } = uvMap(topology, texture.width);
    const black = inside.filter((value, i) => value > 0 && Math.max(...texture.data.subarray(3 * i, 3 * i + 3)) === 0);
    assert.ok(black.length < 0.001 * inside.length, `${black.length} texels are black`);
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

Deno.test("a packed training of before there were mesh corrections is refused in words that help", () =>
  withScratch(async (scratch) => {
    const { folder, write } = scratch;
    const path = `${await results(scratch)}/embedded/trained.safetensors`;
    const tensors = decodeSafetensors(await Deno.readFile(path));
    const old = Object.entries(tensors).filter(([name]) => !name.startsWith("correction/"));
    await Deno.writeFile(path, encodeSafetensors(Object.fromEntries(old)));
    await write("obama.jpg", await asset("train/obama/obama4_crop.jpg"));
    const one = { ...options(scratch, "obama.jpg"), output: `${folder}/one` };
    await assert.rejects(reconstructPhoto(one), /no mesh correction.*deno task reproduce/);
  }));

Deno.test("quantise() is off by half a step at most and keeps zero and each row's extreme", () => {
  const next = randomStream(1);
  const values = Float32Array.from({ length: 300 }, (_, i) => (i < 100 ? 1e-3 : i < 200 ? 5 : 0) * (next() - 0.5));
  const { codes, scales } = quantise(values, 3);
  const back = dequantise(codes, scales);
  values.forEach((value, i) => assert.ok(Math.abs(value - back[i]!) <= 0.501 * scales[Math.floor(i / 100)]!));
  assert.ok(back.subarray(200).every((value) => value === 0));
});
