/** Portraits as people bring them: each kind of input, made of an upright portrait whose face is known. */
import type { Sharp } from "sharp";
import type { Point, Rectangle } from "../../face/crop.ts";

/** A portrait whose face is known. */
export interface Portrait {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** The face's box in it. */
  readonly box: Rectangle;
}

/** An input that is made of portraits. */
export interface Variant {
  /** How its name ends; may be empty. */
  readonly extension: string;
  readonly bytes: Uint8Array;
  /** Its faces from left to right, and where the points of each portrait lie in the input, upright; none: no face. */
  readonly faces: readonly { readonly portrait: Portrait; readonly place: (point: Point) => Point }[];
  /** Size of the input as it is stored, after its orientation flag. */
  readonly width: number;
  readonly height: number;
}

type Make = (portrait: Portrait, other: Portrait, index: number) => Promise<Variant>;

const GREY = "#7f8790";

async function open(bytes: Uint8Array): Promise<Sharp> {
  return (await import("sharp")).default(bytes).autoOrient();
}

async function finished(picture: Sharp, one: Omit<Variant, "bytes" | "width" | "height">): Promise<Variant> {
  const { data, info } = await picture.toBuffer({ resolveWithObject: true });
  return { ...one, bytes: new Uint8Array(data), width: info.width, height: info.height };
}

/** The whole portrait as it is, in another form of file. */
const as = (extension: string, form: (picture: Sharp) => Sharp): Make => async (portrait) =>
  await finished(form(await open(portrait.bytes)), { extension, faces: [{ portrait, place: (point) => point }] });

/** Turned clockwise by any angle, on grey. */
const turned = (degrees: number): Make => async (portrait) => {
  const picture = (await open(portrait.bytes)).png();
  const plain = (await import("sharp")).default(await picture.toBuffer());
  const made = await finished(plain.rotate(degrees, { background: GREY }).png(), { extension: "png", faces: [] });
  const [cos, sin] = [Math.cos(degrees * Math.PI / 180), Math.sin(degrees * Math.PI / 180)];
  const place = ({ x, y }: Point) => {
    const [u, v] = [x - portrait.width / 2, y - portrait.height / 2];
    return { x: made.width / 2 + cos * u - sin * v, y: made.height / 2 + sin * u + cos * v };
  };
  return { ...made, faces: [{ portrait, place }] };
};

/** Turned, with a flag that says so. */
const flagged = (degrees: number, orientation: number): Make => async (portrait) => {
  const { default: sharp } = await import("sharp");
  const upright = await (await open(portrait.bytes)).png().toBuffer();
  const picture = sharp(upright).rotate(degrees).jpeg({ quality: 95 }).withMetadata({ orientation });
  const made = await finished(picture, { extension: "jpg", faces: [{ portrait, place: (point) => point }] });
  return { ...made, width: portrait.width, height: portrait.height };
};

/** Without what lies on one side of a line through the face. */
const cut = (side: "left" | "right" | "bottom", share: number): Make => async (portrait) => {
  const { box, width, height } = portrait;
  const left = side === "left" ? Math.max(0, Math.round(box.left + share * box.width)) : 0;
  const right = side === "right" ? Math.min(width, Math.round(box.left + (1 - share) * box.width)) : width;
  const bottom = side === "bottom" ? Math.min(height, Math.round(box.top + (1 - share) * box.height)) : height;
  const part = { left, top: 0, width: right - left, height: bottom };
  const picture = (await import("sharp")).default(await (await open(portrait.bytes)).png().toBuffer());
  const place = ({ x, y }: Point) => ({ x: x - left, y });
  return await finished(picture.extract(part).png(), { extension: "png", faces: [{ portrait, place }] });
};

/** The first part of a JPEG's bytes. */
const truncated = (share: number): Make => async (portrait, other, index) => {
  const whole = await as("jpg", (picture) => picture.jpeg({ quality: 92 }))(portrait, other, index);
  return { ...whole, bytes: whole.bytes.slice(0, Math.round(share * whole.bytes.length)) };
};

/** Resized so that the face is so many pixels wide. */
const faceOf = (pixels: number): Make => async (portrait) => {
  const scale = pixels / portrait.box.width;
  const width = Math.round(scale * portrait.width);
  const picture = (await open(portrait.bytes)).resize(width).jpeg({ quality: 92 });
  const place = ({ x, y }: Point) => ({ x: x * width / portrait.width, y: y * width / portrait.width });
  return await finished(picture, { extension: "jpg", faces: [{ portrait, place }] });
};

/** Portraits on a large canvas, their faces so many pixels wide, or as many as have room. */
const canvas = (pixels: number, size: { width: number; height: number }): Make => async (...args) => {
  const [first, second, index] = args;
  const { default: sharp } = await import("sharp");
  const faces: { portrait: Portrait; place: (point: Point) => Point }[] = [];
  const parts = await Promise.all([first, second].map(async (portrait, i) => {
    const room = Math.min(0.44 * size.width / portrait.width, (size.height - 2) / portrait.height);
    const scale = Math.min(room, pixels / portrait.box.width);
    const width = Math.round(scale * portrait.width);
    const left = Math.round((i === 0 ? 0.04 : 0.54) * size.width);
    const top = Math.min(size.height - Math.ceil(scale * portrait.height) - 1, 37 * (index % 20));
    const times = width / portrait.width;
    faces[i] = { portrait, place: ({ x, y }) => ({ x: left + times * x, y: top + times * y }) };
    return { input: await (await open(portrait.bytes)).resize(width).png().toBuffer(), left, top };
  }));
  const picture = sharp({ create: { ...size, channels: 3, background: GREY } }).composite(parts);
  return await finished(picture.jpeg({ quality: 92 }), { extension: "jpg", faces });
};

/** What shows no face. */
const none =
  (extension: string, bytes: (index: number) => Uint8Array | Promise<Uint8Array>): Make =>
  async (_portrait, _other, index) => {
    return { extension, bytes: await bytes(index), faces: [], width: 0, height: 0 };
  };

function randomBytes(count: number, seed: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length: count }, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24);
}

async function noise(index: number): Promise<Uint8Array> {
  const raw = { width: 480, height: 360, channels: 3 } as const;
  return await (await import("sharp")).default(randomBytes(3 * 480 * 360, index), { raw }).png().toBuffer();
}

const LARGE = { width: 4032, height: 3024 };
const text = (words: string) => () => new TextEncoder().encode(words);

/** A kind of input. */
export interface Kind {
  /** How many of 300 inputs are of it. */
  readonly count: number;
  readonly make: Make;
  /** Upright and undamaged: each of its faces must be found. */
  readonly whole?: true;
}

/** The kinds of input by name. */
export const KINDS: Readonly<Record<string, Kind>> = {
  "turned by 90°": { count: 14, make: turned(90) },
  "turned by 180°": { count: 14, make: turned(180) },
  "turned by 270°": { count: 14, make: turned(270) },
  "turned by 150°": { count: 9, make: turned(150) },
  "turned by 205°": { count: 9, make: turned(205) },
  "turned by 60°": { count: 16, make: turned(60) },
  "turned by 75°": { count: 16, make: turned(75) },
  "EXIF 3": { count: 10, make: flagged(180, 3), whole: true },
  "EXIF 6": { count: 10, make: flagged(270, 6), whole: true },
  "EXIF 8": { count: 10, make: flagged(90, 8), whole: true },
  "cut at the left": { count: 12, make: cut("left", 0.15) },
  "cut at the right": { count: 12, make: cut("right", 0.3) },
  "cut at the bottom": { count: 12, make: cut("bottom", 0.1) },
  "renamed, no extension": { count: 12, make: as("", (picture) => picture.jpeg({ quality: 92 })), whole: true },
  "PNG named .jpg": { count: 6, make: as("jpg", (picture) => picture.png()), whole: true },
  "last bytes missing": { count: 12, make: truncated(0.97) },
  "half missing": { count: 8, make: truncated(0.5) },
  "CMYK": { count: 10, make: as("jpg", (picture) => picture.toColourspace("cmyk").jpeg({ quality: 92 })), whole: true },
  "16 bits": { count: 10, make: as("png", (picture) => picture.toColourspace("rgb16").png()), whole: true },
  "grey": { count: 10, make: as("jpg", (picture) => picture.greyscale().jpeg({ quality: 92 })), whole: true },
  "alpha": { count: 10, make: as("png", (picture) => picture.ensureAlpha(0.5).png()), whole: true },
  "tiny: 60 pixels": { count: 8, make: faceOf(60) },
  "tiny: 30 pixels": { count: 8, make: faceOf(30) },
  "huge: 2000 pixels": { count: 4, make: faceOf(2000), whole: true },
  "large, 70 pixels": { count: 5, make: canvas(70, LARGE) },
  "large, 300 pixels": { count: 5, make: canvas(300, LARGE), whole: true },
  "several faces": { count: 12, make: canvas(220, { width: 1400, height: 700 }), whole: true },
  "noise": { count: 6, make: none("png", noise) },
  "empty": { count: 4, make: none("jpg", () => new Uint8Array()) },
  "text": { count: 6, make: none("jpeg", text("This is a letter and no picture.\n")) },
  "random bytes": { count: 6, make: none("", (index) => randomBytes(5000, index)) },
};
