import assert from "node:assert/strict";
import {
  type Camera,
  extrinsics,
  FaceScapeError,
  formatCanonicalFrames,
  formatParams,
  headAngles,
  type Matrix,
  parseCanonicalFrames,
  parseParams,
  parseViewPath,
} from "../../../../stages/data/parts/facescape.ts";

const camera: Camera = {
  k: [[900, 0, 320], [0, 910, 240], [0, 0, 1]],
  rt: [[1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 600]],
  distortion: [0.1, -0.02, 0.001, -0.002, 0.003],
  width: 640,
  height: 480,
  valid: true,
};

/** Where a camera sees a point of the canonical head frame. */
function project({ k, rt }: Pick<Camera, "k" | "rt">, point: readonly number[]): { x: number; y: number } {
  const [x, y, z] = rt.map((row) => row[0]! * point[0]! + row[1]! * point[1]! + row[2]! * point[2]! + row[3]!) as [
    number,
    number,
    number,
  ];
  return { x: k[0]![0]! * x / z + k[0]![2]!, y: k[1]![1]! * y / z + k[1]![2]! };
}

Deno.test("what formatParams writes, parseParams reads", () => {
  const cameras = new Map([[0, camera], [7, { ...camera, valid: false }]]);
  assert.deepEqual(parseParams(JSON.stringify(formatParams(cameras)), "params.json"), cameras);
});

Deno.test("parseParams takes FaceScape's own variants: 4×4 K, further keys, 0 and 1 for valid, no distortion", () => {
  const params = {
    "3_K": [[900, 0, 320, 0], [0, 910, 240, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    "3_Rt": [...camera.rt, [0, 0, 0, 1]],
    "3_width": 640,
    "3_height": 480,
    "3_matches": 1234,
    "3_valid": 1,
    "3_sn": "1710020",
    "3_ori": "upright",
  };
  const read = parseParams(JSON.stringify(params), "params.json");
  assert.deepEqual(read, new Map([[3, { ...camera, distortion: [0, 0, 0, 0, 0] }]]));
});

Deno.test("parseParams names the file and the key that is wrong", () => {
  const good = formatParams(new Map([[0, camera]]));
  const cases: [Record<string, unknown> | string, RegExp][] = [
    ["{ broken", /^1\/2_smile\/params\.json is not JSON: /],
    ["[1, 2]", /params\.json must hold a JSON object/],
    [{ author: "x" }, /params\.json: there is no view/],
    [{ ...good, "0_Rt": undefined }, /params\.json: 0_Rt is missing/],
    [{ ...good, "0_Rt": [[1, 0, 0], [0, 1, 0], [0, 0, 1]] }, /params\.json: 0_Rt must be 3×4/],
    [{ ...good, "0_K": [[1, 0, 0]] }, /params\.json: 0_K must be 3×3 or 4×4/],
    [{ ...good, "0_K": [["a", 0, 0], [0, 1, 0], [0, 0, 1]] }, /params\.json: 0_K must be a number/],
    [{ ...good, "5_valid": true }, /params\.json: 5_K is missing/],
  ];
  for (const [params, message] of cases) {
    const text = typeof params === "string" ? params : JSON.stringify(params);
    assert.throws(() => parseParams(text, "1/2_smile/params.json"), (error) => {
      assert(error instanceof FaceScapeError);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("headAngles and extrinsics are inverse all the way round", () => {
  for (const yaw of [-170, -95, -60, -10, 0, 33, 90, 120]) {
    for (const [pitch, roll] of [[0, 0], [20, -15], [-40, 50]] as const) {
      const angles = headAngles({ rt: extrinsics({ yaw, pitch, roll }, 600) });
      for (const [name, value] of Object.entries({ yaw, pitch, roll })) {
        assert(
          Math.abs(angles[name as keyof typeof angles] - value) < 1e-9,
          `${name} ${value}: ${JSON.stringify(angles)}`,
        );
      }
    }
  }
});

Deno.test("the signs: yaw > 0 turns the nose right, pitch > 0 up, roll > 0 the crown left", () => {
  const seen = (angles: { yaw?: number; pitch?: number; roll?: number }, point: readonly number[]) =>
    project({ ...camera, rt: extrinsics({ yaw: 0, pitch: 0, roll: 0, ...angles }, 600) }, point);
  const [centre, nose, crown] = [[0, 0, 0], [0, 0, 100], [0, 100, 0]];
  assert.deepEqual(seen({}, centre), { x: 320, y: 240 });
  assert(seen({ yaw: 30 }, nose).x > 320 + 40);
  assert(seen({ pitch: 30 }, nose).y < 240 - 40);
  assert(seen({}, crown).y < 240);
  assert(seen({ roll: 30 }, crown).x < 320 - 40);
});

Deno.test("headAngles undoes a folder's own world frame", () => {
  // the same photograph, described in a world that is turned, scaled and shifted: canonical = R·(2.5·world) + t
  const turn: Matrix = [[0, 0, 1], [1, 0, 0], [0, 1, 0]];
  const canonical = extrinsics({ yaw: 42, pitch: -7, roll: 5 }, 600);
  const rt = canonical.map((row) => [
    ...[0, 1, 2].map((j) => row[0]! * turn[0]![j]! + row[1]! * turn[1]![j]! + row[2]! * turn[2]![j]!),
    99,
  ]);
  const frames = new Map([["212/4", { scale: 2.5, rt: turn.map((row, i) => [...row, 10 * i]) }]]);
  const read = parseCanonicalFrames(JSON.stringify(formatCanonicalFrames(frames)), "Rt_scale_dict.json");
  assert.deepEqual(read, frames);
  const angles = headAngles({ rt }, read.get("212/4"));
  assert(Math.abs(angles.yaw - 42) < 1e-9 && Math.abs(angles.pitch + 7) < 1e-9 && Math.abs(angles.roll - 5) < 1e-9);
});

Deno.test("parseCanonicalFrames names the entry that is wrong", () => {
  assert.throws(
    () => parseCanonicalFrames('{"1": {"2": [1]}}', "Rt.json"),
    /Rt\.json: entry 1, 2 must be \[scale, 3×4 matrix\]/,
  );
  for (const text of ['{"1": null}', '{"1": 5}', '{"1": []}']) {
    assert.throws(() => parseCanonicalFrames(text, "Rt.json"), /Rt\.json: entry 1 must be an object of expressions/);
  }
});

Deno.test("parseViewPath knows the layout from other paths", () => {
  assert.deepEqual(parseViewPath("212/4_anger/7.jpg"), { identity: "212", expression: "4_anger", view: 7 });
  assert.deepEqual(parseViewPath("set/212/4_anger/7"), { identity: "212", expression: "4_anger", view: 7 });
  for (const path of ["7.jpg", "a/7.jpg", "212/anger/7.jpg", "212/4_anger/left.jpg"]) {
    assert.equal(parseViewPath(path), null);
  }
});
