/**
 * Cameras' raw files of the TIFF family (DNG, NEF, ARW, …): a reader of TIFF would take the thumbnail that comes first
 * for the photograph. Tags are of TIFF 6.0, TIFF/EP (ISO 12234-2) and Adobe's DNG.
 */

const [NEW_SUBFILE_TYPE, SUB_IFDS, DNG_VERSION] = [254, 330, 50706];

/** Whether a TIFF file is a camera's raw file: it says so, or its first picture is the small one of another. */
export function isCameraRaw(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const directory = bytes.length < 8 ? Infinity : view.getUint32(4, little);
  if (directory + 2 > bytes.length) return false;
  const tags = new Map<number, number>();
  const count = view.getUint16(directory, little);
  for (let entry = 0; entry < count; entry++) {
    const at = directory + 2 + 12 * entry;
    if (at + 12 > bytes.length) break;
    tags.set(view.getUint16(at, little), view.getUint32(at + 8, little));
  }
  return tags.has(DNG_VERSION) || (tags.has(SUB_IFDS) && ((tags.get(NEW_SUBFILE_TYPE) ?? 0) & 1) === 1);
}
