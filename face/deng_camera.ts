/**
 * The camera of Deng et al. 2019 (`models/bfm.py` and `util/nvdiffrast.py` of Deep3DFaceRecon_pytorch): perspective, of
 * 1015 pixels' focal length, ten units before the face, aimed at the middle of a picture of 224 pixels.
 */

/** Focal length in pixels. */
export const DENG_FOCAL = 1015;
/** Where the axis of the camera meets the picture, in pixels. */
export const DENG_CENTRE = 112;
/** From the camera to the origin of the face, decimetres. */
export const DENG_DISTANCE = 10;
/** Nothing is nearer to the camera: their `z_near`. */
export const DENG_NEAREST = 5;
