/**
 * Frames of a video: WebM with VP8 or VP9, by FFmpeg's libraries compiled to WebAssembly
 * (`@libav.js/variant-webm-vp9`), so that nothing native is needed. Each frame is decoded, for a frame is stored as its
 * difference from those before, and those that are asked for become RGB by FFmpeg's own conversion.
 */
import type LibAV from "@libav.js/variant-webm-vp9";
import type { BytePixels } from "../../../face/pixels.ts";

/** A frame of a video. */
export interface VideoFrame {
  /** When it is shown, in milliseconds from the video's start. */
  readonly time: number;
  readonly image: BytePixels;
}

/** How a video is read. */
export interface VideoOptions {
  /** Names the video in errors. */
  readonly path: string;
  /** How many frames are given at most, evenly spaced in time. */
  readonly count: number;
  /** Frames before this time are not given, in milliseconds. Default 0. */
  readonly from?: number;
  readonly signal?: AbortSignal;
}

/** A file is not a video that can be read. The message names the path, the cause and what to do. */
export class VideoError extends Error {
  override name = "VideoError";
}

/** A packet: one frame as it is stored. */
type Packet = LibAV.Packet;
type Libav = LibAV.LibAV;

/** Bicubic, with exact rounding, all of the chroma, and the same bits on every machine (`libswscale/swscale.h`). */
const CONVERSION = 0x4 | 0x40000 | 0x2000 | 0x80000;
/** Packets that are decoded together. */
const AT_ONCE = 32;
/** A whole video's last frame is shown about as long as the others: not more milliseconds longer than this. */
const SPARE = 50;

/**
 * Decodes a video and gives frames that are evenly spaced in time, in their order.
 *
 * @throws {VideoError} if the file is empty, no video, of another format or codec, truncated or damaged
 */
export async function* decodeVideo(
  bytes: Uint8Array,
  { path, count, from = 0, signal }: VideoOptions,
): AsyncGenerator<VideoFrame> {
  if (bytes.length === 0) throw new VideoError(`${path}: the file is empty (0 bytes)`);
  const { default: loader } = await import("@libav.js/variant-webm-vp9");
  const libav = await loader.LibAV({ noworker: true, nothreads: true });
  try {
    await libav.av_log_set_level(libav.AV_LOG_QUIET);
    const { packets, codec, parameters } = await readPackets(libav, bytes, path);
    const chosen = evenTimes(packets.map(timeOf), { count, from });
    const opened = await libav.ff_init_decoder(codec, parameters).catch((cause) => {
      throw new VideoError(`${path}: its codec cannot be decoded. Convert it to WebM with VP8 or VP9.`, { cause });
    });
    const [, context, packet, frame] = opened;
    const convert = await openConversion(libav);
    for (let first = 0; first < packets.length; first += AT_ONCE) {
      signal?.throwIfAborted();
      const some = packets.slice(first, first + AT_ONCE);
      const options = { fin: first + AT_ONCE >= packets.length, copyoutFrame: "ptr" } as const;
      const frames = await libav.ff_decode_multi(context, packet, frame, some, options).catch((cause) => {
        throw new VideoError(`${path}: damaged near ${seconds(timeOf(some[0]!))}. Get it again.`, { cause });
      });
      for (const decoded of frames) {
        const time = await libav.AVFrame_best_effort_timestamp(decoded);
        const image = chosen.has(time) ? await convert(decoded) : null;
        await libav.av_frame_unref(decoded);
        await libav.av_frame_free_js(decoded);
        if (image !== null) yield { time, image };
      }
    }
  } finally {
    libav.terminate();
  }
}

/**
 * Of ascending times those that are shown at `count` evenly spaced moments, from the first that is not before `from` to
 * the last; all of them if there are fewer.
 */
export function evenTimes(times: readonly number[], { count, from }: { count: number; from: number }): Set<number> {
  const late = times.filter((time) => time >= from).toSorted((a, b) => a - b);
  const [first, last] = [late[0], late.at(-1)];
  if (first === undefined || last === undefined || late.length <= count) return new Set(late);
  const chosen = new Set<number>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const moment = first + (last - first) * i / Math.max(1, count - 1);
    while (late[at + 1] !== undefined && late[at + 1]! <= moment) at++;
    chosen.add(late[at]!);
  }
  return chosen;
}

/** The packets of the first video stream of a file, and what decodes them. */
async function readPackets(libav: Libav, bytes: Uint8Array, path: string) {
  const name = "video";
  await libav.writeFile(name, bytes);
  const [context, streams] = await libav.ff_init_demuxer_file(name).catch((cause) => {
    throw new VideoError(`${path}: not a video, or a format that cannot be read. Convert it to WebM.`, { cause });
  });
  const stream = streams.find(({ codec_type: type }) => type === libav.AVMEDIA_TYPE_VIDEO);
  if (stream === undefined) throw new VideoError(`${path}: there are no pictures in it`);
  const packet = await libav.av_packet_alloc();
  const [result, all] = await libav.ff_read_frame_multi(context, packet);
  const packets = (all[stream.index] ?? []).map((one) => inMilliseconds(one, stream));
  const times = packets.map(timeOf).sort((a, b) => a - b);
  const end = times.at(-1) ?? 0;
  const longest = times.reduce((gap, time, i) => Math.max(gap, time - (times[i - 1] ?? time)), 0);
  const [low, high] = [libav.AVFormatContext_duration(context), libav.AVFormatContext_durationhi(context)];
  // negative where the file does not tell
  const told = libav.i64tof64(await low, await high) / 1000;
  if (result !== libav.AVERROR_EOF || packets.length === 0 || told - end > 2 * longest + SPARE) {
    const of = told > 0 ? ` of ${seconds(told)}` : "";
    throw new VideoError(`${path}: truncated or damaged: it ends after ${seconds(end)}${of}. Get it again.`);
  }
  return { packets, codec: stream.codec_id, parameters: stream.codecpar };
}

/** A packet whose times are in milliseconds, whatever the stream counts in. */
function inMilliseconds(packet: Packet, { time_base_num, time_base_den }: LibAV.Stream): Packet {
  const pts = Math.round((packet.pts ?? 0) * 1000 * time_base_num / time_base_den);
  return { ...packet, pts, ptshi: 0, dts: pts, dtshi: 0, time_base_num: 1, time_base_den: 1000 };
}

function timeOf({ pts = 0 }: Packet): number {
  return pts;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Gives what turns a decoded frame into RGB; the frames of a video are of one size. */
async function openConversion(libav: Libav): Promise<(frame: number) => Promise<BytePixels>> {
  const converted = await libav.av_frame_alloc();
  let context: number | undefined;
  return async (frame) => {
    const [width, height, format] = await Promise.all([
      libav.AVFrame_width(frame),
      libav.AVFrame_height(frame),
      libav.AVFrame_format(frame),
    ]);
    const rgb = libav.AV_PIX_FMT_RGB24;
    context ??= await libav.sws_getContext(width, height, format, width, height, rgb, CONVERSION, 0, 0, 0);
    const result = await libav.sws_scale_frame(context, converted, frame);
    if (result < 0) throw new Error(`A video frame of ${width}×${height} could not be converted to RGB (${result})`);
    const { data } = await libav.ff_copyout_frame_video_packed(converted);
    await libav.av_frame_unref(converted);
    return { width, height, data };
  };
}
