/**
 * Content-hashed stages: a stage's result is stored under the hash of all that could change it, so nothing is computed
 * twice, and every result can say where it came from.
 *
 * ```ts
 * import { defineStage, publish, reproduce, sourceFolder } from "@ftim/pipeline";
 *
 * const count = defineStage({
 *   name: "count",
 *   module: import.meta.url,
 *   inputs: { texts: "folder" },
 *   output: "counts",
 *   each: ["texts"],
 *   determinism: "bitwise",
 *   run: async ({ items }) => {
 *     for (const { key, inputs, out } of items) {
 *       const text = await inputs.texts.text(`${key}.txt`);
 *       out.json(`${key}.json`, { words: text.trim().split(/\s+/).length });
 *     }
 *   },
 * });
 *
 * const { trees } = await reproduce({ counts: count({ texts: sourceFolder("texts") }) });
 * await publish(trees.counts, "results");
 * ```
 * @module
 */
export { exportRun, importRun, type Transfer } from "./archive.ts";
export { type Artifact, cast, pick, sourceFile, sourceFolder } from "./artifact.ts";
export type { Code, CodeDigests } from "./code.ts";
export type { Computes, Determinism, Item, Resources } from "./contract.ts";
export { type Crate, crateOf, type CrateOptions } from "./crate.ts";
export * from "./errors.ts";
export { fsck, type FsckReport } from "./fsck.ts";
export * from "./gate.ts";
export * from "./gate_report.ts";
export { gc, type GcOptions, type GcReport } from "./gc.ts";
export { graphMermaid, type GraphNode, graphOf, graphText } from "./graph.ts";
export { graphSvg } from "./graph_svg.ts";
export { canonical, hashFile, sha256 } from "./hash.ts";
export type { Hints } from "./hints.ts";
export { nearestName } from "./nearest_name.ts";
export { explainPlaceFailure, placeFault } from "./place.ts";
export { provenanceText } from "./provenance.ts";
export { type Publication, publish, type PublishOptions } from "./publish.ts";
export { type Pull, pull, type PullOptions } from "./pull.ts";
export { type Push, push, type PushOptions } from "./push.ts";
export { folderRemote, type Incoming, type Outgoing, type Remote } from "./remote.ts";
export {
  defaultReporter,
  duration,
  jsonReporter,
  type PipelineEvent,
  plainReporter,
  type Reporter,
  silentReporter,
  type StageCount,
  type StageReport,
  type Summary,
  treeReporter,
} from "./report.ts";
export { reproduce, type Reproduction, UnfinishedError } from "./reproduce.ts";
export { notCode } from "./not_code.ts";
export { map } from "./roles.ts";
export { type DiffOptions, diffRuns, type FileDiff, type RunDiff, type RunPair, type StageDiff } from "./run_diff.ts";
export { runNumber, type RunRecord } from "./run_record.ts";
export { findRun, listRuns, publishRun, type PublishRunOptions, type RunsOptions } from "./runs.ts";
export type { Facts, Options } from "./session.ts";
export { defineStage, type StageFunction } from "./stage.ts";
export { type S3Options, s3Remote } from "./s3.ts";
export { explain, type StageStatus, statusOf, type StatusOptions, statusText } from "./status.ts";
export type { Progress, TravelOptions } from "./tally.ts";
export { timelinePage, timelineText } from "./timeline.ts";
export { replaceFile } from "./temporary.ts";
export { itemKey, type Tree } from "./tree.ts";
export { type Verification, verify, type VerifyOptions } from "./verify.ts";
export type { Writer } from "./writer.ts";
