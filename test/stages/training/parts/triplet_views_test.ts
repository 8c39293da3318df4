import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import assert from "node:assert/strict";
import { openTfjs } from "@ftim/gpu/tfjs";
import type { Triplet } from "../../../../stages/data/parts/triplet_choice.ts";
import type { IdentityNetwork } from "../../../../nets/known_faces.ts";
import { readFaceModel } from "../../../../stages/faces/training_set.ts";
import { openTripletViews, type TripletViewsOptions } from "../../../../stages/training/parts/triplet_views.ts";
import { maxDifference } from "../../../face/head.ts";
import { makeFace } from "../../face_lab.ts";
import { geometryStages, layFaces } from "../../geometry_lab.ts";
import { withScratch } from "../../scratch.ts";

/** Colours of coarse and finer squares in place of a network; counts the pictures that it sees. */
function squares() {
  const network: IdentityNetwork & { seen: number } = {
    side: 32,
    layerWeights: [1],
    seen: 0,
    features: (faces) => {
      network.seen += faces.shape[0];
      const layer = faces.pad([[0, 0], [0, 0], [0, 0], [0, 1]]).avgPool(8, 8, "valid") as Tensor4D;
      return { descriptor: layer.mean([1, 2]), layers: [layer] };
    },
  };
  return network;
}

Deno.test("views that are kept and views that are read as they are needed give the loss the same numbers", () =>
  withScratch(async (scratch) => {
    const tf = await openTfjs();
    const faces = { "a/0": makeFace({ yaw: -25 }), "b/0": makeFace({ side: -0.4 }), "c/0": makeFace({ yaw: 30 }) };
    await layFaces(scratch, faces);
    const { guesses, shared } = geometryStages(scratch.folder);
    const { trees } = await scratch.run({ ...shared, guesses });

    const keys = Object.keys(faces);
    const triplets: Triplet[] = [
      { identity: "7", expression: "1_neutral", views: keys as [string, string, string], yaws: [-25, 0, 30] },
    ];
    const open = async (keep?: TripletViewsOptions["keep"]) => {
      const identity = squares();
      const looksAt = { descriptor: true, layers: true };
      const { signal } = new AbortController();
      const model = await readFaceModel(trees);
      const limits = keep === undefined ? {} : { keep };
      const views = await openTripletViews(tf, triplets, {
        ...trees,
        faces: model,
        identity,
        looksAt,
        signal,
        ...limits,
      });
      const loaded = await views.load(keys);
      const { descriptor, layers, inside } = (await views.seen(keys, loaded))!;
      const seen: Tensor[] = [descriptor, ...layers];
      const values = await Promise.all(seen.map((tensor) => tensor.data<"float32">()));
      tf.dispose(seen);
      const photographs = loaded.map(({ photograph }) => photograph);
      return { values, inside, looks: identity.seen, photographs, views };
    };
    const kept = await open();
    const asNeeded = await open({ views: 1, bytes: 1 << 30 });
    const tooLarge = await open({ views: 9, bytes: 100 });
    assert.deepEqual(asNeeded.values, kept.values);
    assert.deepEqual(tooLarge.values, kept.values);
    assert.deepEqual([asNeeded.inside, tooLarge.inside], [kept.inside, kept.inside]);
    assert.ok([true, false].every((covered) => kept.inside[0]!.includes(covered)));
    assert.deepEqual(asNeeded.photographs, kept.photographs);
    assert.deepEqual([kept.looks, asNeeded.looks, tooLarge.looks], [3, 3, 6]);
    for (const [i, { picture }] of Object.values(faces).entries()) {
      const crop = Float32Array.from(kept.photographs[i]!, (byte) => byte / 255);
      assert.ok(maxDifference(crop, picture.data) <= 0.5 / 255 + 1e-6, `${keys[i]} is its own crop`);
    }

    // A step on views that were looked at before waits for nothing.
    const { data } = tf.Tensor.prototype;
    let reads = 0;
    const counted = function (this: Tensor) {
      reads++;
      return data.call(this);
    };
    Object.assign(tf.Tensor.prototype, { data: counted });
    try {
      for (const { views } of [kept, asNeeded, tooLarge]) {
        const { descriptor, layers } = (await views.seen(keys, await views.load(keys)))!;
        tf.dispose([descriptor, ...layers]);
      }
    } finally {
      Object.assign(tf.Tensor.prototype, { data });
    }
    assert.equal(reads, 0);

    const [first] = await kept.views.load(["a/0"]);
    assert.equal((await kept.views.load(["a/0"]))[0], first, "a kept view is not read again");
    const [again] = await asNeeded.views.load(["a/0"]);
    await asNeeded.views.load(["b/0"]);
    assert.notEqual((await asNeeded.views.load(["a/0"]))[0], again, "a view that made room is");
  }));
