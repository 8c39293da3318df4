/** A command's verdict was "no", and it has said why: the process ends with status 1 and no further message. */
export class Failure extends Error {
  override name = "Failure";
}
