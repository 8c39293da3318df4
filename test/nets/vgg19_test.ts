import assert from "node:assert/strict";
import { openGpu } from "@ftim/gpu/device";
import { openTfjs } from "@ftim/gpu/tfjs";
import { gaussian } from "../../nets/random.ts";
import { encodeSafetensors } from "../../nets/safetensors.ts";
import { bytesSource } from "../../nets/files/source.ts";
import { openVgg19 } from "../../nets/vgg19.ts";
import { relativeError } from "../gpu/arrays.ts";
import { oldTorchArchive } from "./files/torch_writer.ts";
import { drawnVgg19, VGG19_CONVOLUTIONS } from "./vgg19_weights.ts";

/** Channel planes [C][S·S] → a 3×3 convolution with zeros around, and the rectifier, in loops. */
function convolved(planes: Float32Array[], side: number, { weight, bias }: Record<"weight" | "bias", Float32Array>) {
  return Array.from(bias, (b, o) => {
    const out = new Float32Array(side * side).fill(b);
    planes.forEach((plane, i) => {
      const taps = weight.subarray((o * planes.length + i) * 9, (o * planes.length + i + 1) * 9);
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          let sum = 0;
          for (let ky = 0; ky < 3; ky++) {
            for (let kx = 0; kx < 3; kx++) {
              const [sy, sx] = [y + ky - 1, x + kx - 1];
              if (sy >= 0 && sy < side && sx >= 0 && sx < side) sum += taps[3 * ky + kx]! * plane[sy * side + sx]!;
            }
          }
          out[y * side + x] = out[y * side + x]! + sum;
        }
      }
    });
    return out.map((value) => Math.max(0, value));
  });
}

function halved(planes: Float32Array[], side: number): Float32Array[] {
  const half = side / 2;
  return planes.map((plane) =>
    Float32Array.from({ length: half * half }, (_, i) => {
      const first = Math.floor(i / half) * 2 * side + (i % half) * 2;
      return Math.max(plane[first]!, plane[first + 1]!, plane[first + side]!, plane[first + side + 1]!);
    })
  );
}

/** [C][S·S] → [S·S·C]. */
const interleaved = (planes: Float32Array[]) =>
  Float32Array.from(
    { length: planes.length * planes[0]!.length },
    (_, i) => planes[i % planes.length]![Math.floor(i / planes.length)]!,
  );

Deno.test("VGG-19 gives relu3_2 and relu4_2 of plain loops, and lets gradients through", async () => {
  const tf = await openTfjs();
  const weights = drawnVgg19();
  const network = await openVgg19(bytesSource(encodeSafetensors(weights)));
  const side = 16;
  const next = gaussian(5);
  const pixels = Float32Array.from({ length: side * side * 3 }, () => 0.5 + 0.2 * next());
  const image = tf.tensor4d(pixels, [1, side, side, 3]);
  const { relu3_2, relu4_2 } = network.features(image);
  const found = [await relu3_2.data<"float32">(), await relu4_2.data<"float32">()];

  const [mean, deviation] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
  let size = side;
  let planes: Float32Array[] = [0, 1, 2].map((c) =>
    Float32Array.from({ length: side * side }, (_, i) => (pixels[3 * i + c]! - mean[c]!) / deviation[c]!)
  );
  const expected: Float32Array[] = [];
  for (const [number] of VGG19_CONVOLUTIONS) {
    if ([5, 10, 19].includes(number)) {
      planes = halved(planes, size);
      size /= 2;
    }
    const [weight, bias] = ["weight", "bias"].map((part) =>
      weights[`features.${number}.${part}`]!.data as Float32Array
    );
    planes = convolved(planes, size, { weight: weight!, bias: bias! });
    if (number === 12 || number === 21) expected.push(interleaved(planes));
  }
  assert.deepEqual(relu3_2.shape, [1, 4, 4, 256]);
  assert.deepEqual(relu4_2.shape, [1, 2, 2, 512]);
  assert.equal(expected.length, 2);
  for (const [i, values] of expected.entries()) assert.ok(relativeError(found[i]!, values) < 1e-5);

  const slope = tf.tidy(() => tf.grad((x) => tf.sum(network.features(x as typeof image).relu4_2))(image));
  const gradient = await slope.data<"float32">();
  const step = gradient.map((g) => 1e-3 * Math.sign(g));
  const moved = tf.tensor4d(pixels.map((value, i) => value + step[i]!), [1, side, side, 3]);
  const { relu3_2: other, relu4_2: after } = network.features(moved);
  const rise = (await after.data<"float32">()).reduce((sum, value) => sum + value, 0) -
    found[1]!.reduce((sum, value) => sum + value, 0);
  const predicted = gradient.reduce((sum, g, i) => sum + g * step[i]!, 0);
  assert.ok(Math.abs(rise - predicted) < 0.05 * predicted, `${rise} beside ${predicted}`);
  tf.dispose([image, relu3_2, relu4_2, slope, moved, other, after]);
  network.dispose();
  await (await openGpu()).assertHealthy("vgg19 test");
});

type Weights = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }>
>;

Deno.test("VGG-19 opens torchvision's own format, and renamed weights, with the same values", async () => {
  const tf = await openTfjs();
  const weights: Weights = drawnVgg19();
  const renamed = Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`module.${name}`, tensor]));
  const image = tf.tensor4d(new Float32Array(16 * 16 * 3).fill(0.3), [1, 16, 16, 3]);
  const found: Float32Array[] = [];
  for (const bytes of [encodeSafetensors(weights), oldTorchArchive(weights), oldTorchArchive(renamed)]) {
    const network = await openVgg19(bytesSource(bytes));
    const { relu3_2, relu4_2 } = network.features(image);
    found.push(await relu4_2.data<"float32">());
    tf.dispose([relu3_2, relu4_2]);
    network.dispose();
  }
  assert.ok(found[0]!.some((value) => value > 0));
  assert.deepEqual(found[1], found[0]);
  assert.deepEqual(found[2], found[0]);
  tf.dispose(image);
});

Deno.test("VGG-19 names what a file lacks, has in another shape, or is instead", async () => {
  const weights: Weights = drawnVgg19();
  const refused = async (changed: Weights, message: RegExp) =>
    await assert.rejects(openVgg19(bytesSource(oldTorchArchive(changed), "x.pth")), message);
  const { "features.12.weight": _, ...without } = weights;
  await refused(without, /Cannot read x\.pth: .* has no tensor "features\.12\.weight"/);
  const turned = { shape: [3, 3, 3, 64], data: weights["features.0.weight"]!.data };
  await refused(
    { ...weights, "features.0.weight": turned },
    /"features\.0\.weight" is \[3,3,3,64\] and must be \[64,3,3,3\]/,
  );
  const zeros = (shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b)) });
  const vgg16 = { "features.14.weight": zeros([256, 256, 3, 3]), "features.17.weight": zeros([512, 256, 3, 3]) };
  await refused(vgg16, /x\.pth must hold VGG-19 of torchvision, and .* It holds VGG-16/);
});
