/**
 * A part of a photograph as an ONNX network reads it: cut out, resampled, normalised, as channel planes `[1, 3, H, W]`.
 * Where the network runs on the GPU, so does this, and the result stays there; elsewhere it is the same arithmetic on
 * the CPU.
 */
import type * as tfjs from "@tensorflow/tfjs";
import type { RgbImage } from "../face/image.ts";
import type { Pixels } from "../face/pixels.ts";
import { program, run } from "@ftim/gpu/wgsl";
import type { DeviceTensor, OnnxSession, OnnxTensor } from "@ftim/gpu/onnx";
import { openTfjs, type Tfjs } from "@ftim/gpu/tfjs";
import { cropPhotographs } from "./crop_photographs.ts";
import { type Normalisation, planes } from "./planes.ts";
import { resampleCpu } from "./resample_cpu.ts";
import type { Border, Box } from "./resample_taps.ts";

/** Which part, and how the network wants it. */
export interface NetworkInput {
  readonly box: Box;
  readonly width: number;
  readonly height: number;
  /** Default "edge". */
  readonly border?: Border;
  readonly normalisation: Normalisation;
  /** Whether the mirrored part is wanted, too. Default false. */
  readonly mirrored?: boolean;
}

/** A network's input. */
export type Feed = OnnxTensor | DeviceTensor;

/**
 * Makes the input, lets `use` run the network on it, and frees it.
 *
 * @param image the photograph, RGB
 * @param use takes the input and, if it is wanted, its mirror image
 */
export function withNetworkInput<T>(
  session: Pick<OnnxSession, "place">,
  { image, box, normalisation, mirrored, ...size }: NetworkInput & { readonly image: Pixels },
  use: Use<T>,
): Promise<T> {
  const onCpu = () => resampleCpu(image, { box, ...size });
  const onDevice = (tf: Tfjs) => cropPhotographs(tf, [{ image, box }], size);
  return withPicture(session, { onCpu, onDevice, normalisation, mirrored }, use);
}

/** Runs the network on its input and, if it is wanted, on the mirror image. */
export type Use<T> = (feed: Feed, mirrored: Feed | undefined) => Promise<T>;

/** How a picture comes about in either place: the same to f32 rounding. */
export interface Picture extends Pick<NetworkInput, "normalisation"> {
  readonly onCpu: () => RgbImage;
  /** [1, H, W, 3] */
  readonly onDevice: (tf: Tfjs) => tfjs.Tensor4D;
  readonly mirrored?: boolean | undefined;
}

/** As `withNetworkInput`, with a picture that is made where the network runs. */
export async function withPicture<T>(
  session: Pick<OnnxSession, "place">,
  { onCpu, onDevice, normalisation, mirrored = false }: Picture,
  use: Use<T>,
): Promise<T> {
  if (session.place === "cpu") {
    const picture = onCpu();
    const dims = [1, 3, picture.height, picture.width];
    const [own, other] = [picture, ...(mirrored ? [mirrorImage(picture)] : [])].map((each): Feed => {
      return { data: planes(each, normalisation), dims };
    });
    return await use(own!, other);
  }
  const tf = await openTfjs();
  const { tensors, dims } = tf.tidy(() => {
    const picture = onDevice(tf);
    const [, height, width] = picture.shape;
    const sides = mirrored ? [false, true] : [false];
    const tensors = sides.map((mirror) => picturePlanes(tf, picture, { ...normalisation, mirror }));
    return { tensors, dims: [1, 3, height, width] };
  });
  const answers = tensors.map((tensor) => tensor.dataToGPU());
  try {
    const [own, other] = answers.map(({ buffer }): Feed => ({ buffer: buffer!, dims }));
    return await use(own!, other);
  } finally {
    tf.dispose([...tensors, ...answers.map(({ tensorRef }) => tensorRef)]);
  }
}

/** The image with left and right exchanged. */
export function mirrorImage({ width, height, data }: RgbImage): RgbImage {
  const mirrored = new Float32Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + width - 1 - x) * 3;
      mirrored.set(data.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { width, height, data: mirrored };
}

/** `[3, H, W]` on the device, padded to a multiple of four. */
function picturePlanes(
  tf: Tfjs,
  picture: tfjs.Tensor4D,
  { mean, deviation, mirror }: Normalisation & { readonly mirror: boolean },
): tfjs.Tensor {
  const [, height, width] = picture.shape;
  const size = 3 * height * width;
  const three = (value: Normalisation["mean"]) => typeof value === "number" ? [value, value, value] : [...value];
  const colours = [...three(mean), ...three(deviation)].map((f32) => ({ f32 }));
  return run(tf, {
    key: "network_planes",
    code: () =>
      program({
        result: "f32",
        inputs: [["x", "f32"]],
        uniforms: ["width", "size", "mirror", ...["m0", "m1", "m2", "d0", "d1", "d2"].map((name) => `${name}:f32`)],
        body: `
  if (id >= 3 * u.size) { return; }
  let channel = id / u.size;
  let pixel = id - channel * u.size;
  let column = pixel % u.width;
  let taken = select(pixel, pixel - column + u.width - 1 - column, u.mirror == 1);
  let mean = vec3<f32>(u.m0, u.m1, u.m2);
  let deviation = vec3<f32>(u.d0, u.d1, u.d2);
  result[id] = (x[3 * taken + channel] - mean[channel]) / deviation[channel];`,
      }),
    inputs: [picture],
    // ONNX Runtime reads four values at a time. Some GPUs read none of the last four of a buffer that ends among them.
    shape: [4 * Math.ceil(size / 4)],
    uniforms: [width, width * height, mirror ? 1 : 0, ...colours],
    invocations: size,
  });
}
