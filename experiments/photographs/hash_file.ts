/** The name that the publishing commands and `reconstruct` share. */

/** The file beside `trained.safetensors` that holds its hash, in the form of `sha256sum`. */
export const HASH_FILE = "trained.sha256";
