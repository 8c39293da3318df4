/**
 * What a file is, by its content: its name may say something else, or nothing. Signatures are of the formats' own
 * specifications; the brands of HEIF are those of ISO/IEC 23008-12 and of its branches for HEVC and AV1.
 */

/** Formats that can be read, by the usual extension. */
export type Readable = "jpg" | "png" | "tif" | "webp" | "avif" | "gif" | "heic" | "jxl" | "bmp";

/** What a file's first bytes say. */
export type Format =
  | { readonly kind: "readable"; readonly format: Readable }
  /** A picture, or something that may be taken for one, that cannot be read. */
  | { readonly kind: "unreadable"; readonly name: string; readonly advice: string }
  | { readonly kind: "empty" }
  | { readonly kind: "unknown" };

/** So many bytes suffice to tell. */
export const HEAD_BYTES = 64;

/** How names of pictures end. */
const EXTENSIONS =
  "jpg jpeg jpe jfif jif png tif tiff webp avif gif heic heif heics heifs hif jxl bmp dib jp2 j2k psd " +
  "svg svgz pdf ico tga ppm pgm dng cr2 cr3 nef arw raf orf rw2";

/** A name that ends as a picture's does. */
export const PICTURE_NAME = new RegExp(`\\.(${EXTENSIONS.replaceAll(" ", "|")})$`, "i");

const CONVERT = "convert it to JPEG or PNG with any picture editor";

/** Whether a file begins so: its first bytes in hexadecimal, or as text in which what is not printable is a point. */
type Signature = { readonly hex: RegExp } | { readonly text: RegExp };

const READABLE: readonly (readonly [Signature, Readable])[] = [
  [{ hex: /^ffd8ff/ }, "jpg"],
  [{ hex: /^89504e470d0a1a0a/ }, "png"],
  [{ hex: /^(49492[ab]00|4d4d002[ab])/ }, "tif"],
  [{ text: /^RIFF.{4}WEBP/ }, "webp"],
  [{ text: /^GIF8[79]a/ }, "gif"],
  [{ hex: /^(ff0a|0000000c4a584c20)/ }, "jxl"],
  // the length of the header that follows, as Windows and OS/2 write it, tells it from a text that begins with BM
  [{ hex: /^424d.{24}(0c|10|28|34|38|40|6c|7c)000000/ }, "bmp"],
];

const RAW = "develop it to JPEG with the camera's program";
const UNREADABLE: readonly (readonly [Signature, string, string])[] = [
  [{ text: /^(II\*.{5}CR|.{4}ftypcrx )/ }, "a raw file of a Canon camera", RAW],
  [{ text: /^(FUJIFILMCCD-RAW|IIRO|IIRS|IIU\.)/ }, "a camera's raw file", RAW],
  [{ hex: /^(0000000c6a502020|ff4fff51)/ }, "a JPEG 2000 picture", CONVERT],
  [{ text: /^8BPS/ }, "a Photoshop document", "export it from Photoshop as JPEG or PNG"],
  [{ text: /^%PDF/ }, "a PDF document", "export its page, or the picture on it, as JPEG or PNG"],
  [{ text: /^[.\s]*(<\?xml.*)?<svg/i }, "an SVG drawing", "export it as PNG"],
  [{ text: /^[.\s]*<(!doctype|html)/i }, "a web page and no picture", "save the picture itself from your browser"],
  [{ text: /^P[1-6][.\s]/ }, "a PNM picture", CONVERT],
  [{ hex: /^00000100/ }, "an icon", CONVERT],
  [{ text: /^.{4}ftyp|^RIFF.{4}AVI / }, "a video", "take a frame of it: pause where the face is seen well"],
  [{ hex: /^1a45dfa3/ }, "a video", "take a frame of it: pause where the face is seen well"],
  [{ hex: /^504b0304/ }, "a ZIP archive", "unpack it, and name the photographs in it"],
  [{ text: /^version https:..git-lfs/ }, "a pointer of Git LFS and not the photograph itself", "use `git lfs pull`"],
];

/** Tells what a file is. `head`: its first {@link HEAD_BYTES} bytes, or all of it. */
export function formatOf(head: Uint8Array): Format {
  if (head.length === 0) return { kind: "empty" };
  const bytes = [...head.subarray(0, HEAD_BYTES)];
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const text = bytes.map((byte) => byte < 32 || byte > 126 ? "." : String.fromCharCode(byte)).join("");
  const begins = (signature: Signature) => "hex" in signature ? signature.hex.test(hex) : signature.text.test(text);
  const unreadable = UNREADABLE.find(([signature]) => begins(signature));
  const format = heifCoder(text, bytes[3] ?? 0) ?? READABLE.find(([signature]) => begins(signature))?.[1];
  // a camera's raw file may begin as a TIFF does
  if (format !== undefined && !(format === "tif" && unreadable !== undefined)) return { kind: "readable", format };
  if (unreadable !== undefined) return { kind: "unreadable", name: unreadable[1], advice: unreadable[2] };
  return { kind: "unknown" };
}

/** A file of the HEIF family: which of its coders, by the first of its brands that tell; `length` of their list. */
function heifCoder(text: string, length: number): Readable | undefined {
  if (text.slice(4, 8) !== "ftyp") return undefined;
  const places = [8, 16, 20, 24, 28, 32, 36, 40, 44].filter((at) => at + 4 <= Math.min(text.length, length));
  const brands = places.map((at) => text.slice(at, at + 4));
  if (brands.some((brand) => /^avi[fs]$/.test(brand))) return "avif";
  return brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand)) ? "heic" : undefined;
}

/** The format's name in a sentence. */
export const FORMAT_NAMES: Readonly<Record<Readable, string>> = {
  jpg: "JPEG",
  png: "PNG",
  tif: "TIFF",
  webp: "WebP",
  avif: "AVIF",
  gif: "GIF",
  heic: "HEIC",
  jxl: "JPEG XL",
  bmp: "BMP",
};
