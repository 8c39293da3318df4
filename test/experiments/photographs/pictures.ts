/** Small pictures for tests, one of each format: red grows to the right, green downward, 64×48 pixels. */
import { Buffer } from "node:buffer";
import type { Sharp } from "sharp";

/** Width and height of all of them. */
export const [WIDTH, HEIGHT] = [64, 48];

/** The picture itself; `alpha` gives the opacity of each pixel, 0..255. */
export async function ramp(alpha?: (x: number, y: number) => number): Promise<Sharp> {
  const { default: sharp } = await import("sharp");
  const channels = alpha === undefined ? 3 : 4;
  const data = new Uint8Array(channels * WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      data.set([4 * x, 5 * y, 60, ...(alpha === undefined ? [] : [alpha(x, y)])], channels * (y * WIDTH + x));
    }
  }
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels } });
}

/** A BMP of 24 bits, bottom row first, as Windows writes it. */
export async function bmp(): Promise<Uint8Array<ArrayBuffer>> {
  const pixels = await (await ramp()).raw().toBuffer();
  const bytes = new Uint8Array(54 + pixels.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  for (const [at, value] of [[2, bytes.length], [10, 54], [14, 40], [18, WIDTH], [22, HEIGHT], [34, pixels.length]]) {
    view.setUint32(at!, value!, true);
  }
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const from = 3 * ((HEIGHT - 1 - y) * WIDTH + x);
      bytes.set([pixels[from + 2]!, pixels[from + 1]!, pixels[from]!], 54 + 3 * (y * WIDTH + x));
    }
  }
  return bytes;
}

/** Written by libheif with x265. */
export const HEIC = Uint8Array.from(Buffer.from(
  "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA" +
    "ACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAAJkAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt" +
    "AAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA" +
    "AAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5j" +
    "bHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBp" +
    "eGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAKFtZGF0AAAAlSgBrwngPg6bnk4QdLDGLT7Bfo0eRr+xOeOd17zE" +
    "EF8FD6gR3d2t7rtudOk9S0Qvahn+hUXcmLFvpdzH8ukl413ACgmxD+B217Q9mhUUp3CltTkp3WGmErH5gRXNJHwvhSkgYAgZStHW" +
    "98hiIT8zgFT9F7RYKUI2XC6+JxCbtcvzJHgD7A7gTMUtRWTLD5Jrflbx1ZN9",
  "base64",
));

/** Written by libjxl. */
export const JXL = Uint8Array.from(Buffer.from(
  "/wrLBgATiAIAVAS1nyAAABUqo4wbvJzr+fJDh8W0jesMbbVtYQljs70wSJiACFWoGMMYZUIDfxsAAGOPOkFKOpQsx9oTxpDHNbfh" +
    "mHl1+cVGARagUEjL2Acga9gGAf+uAgAQ4CkHX9Aj8jtJKFhg5hBCbwEkbwFn2MeZH2sLGKolaF/Ac30MujDsTvwek+25d3Ev85QX" +
    "TgpbkqPksTpruSJ7pSIC0I078zNwU7m6dRD1vbSRIIapuN4A0P4oRNyouG5zPl23gK51WyEFEmBXOjLGu4t3ovynAEBjkA/CvA7N" +
    "A0sOcgQO+PMtasqsN8JDyeaC+JtGHlHv1G9ue31g9br/zLcwyZQKnjgVMopXkerYpQvpO9AlXhImK3nrB9gD",
  "base64",
));
