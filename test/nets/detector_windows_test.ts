import assert from "node:assert/strict";
import { isWholeIn, windowLevels } from "../../nets/detector_windows.ts";

const SIGHT = { width: 320, height: 240 };
const PICTURES = [{ width: 4032, height: 3024 }, { width: 3024, height: 4032 }, { width: 9000, height: 1200 }];

Deno.test("a face of any size and place lies wholly in some window that is not too large for it", () => {
  for (const picture of PICTURES) {
    const levels = windowLevels(picture, { smallest: 30, sight: SIGHT });
    const [last] = levels.at(-1)!.windows;
    for (const width of [30, 45, 70, 110, 200].filter((width) => width < last!.width / 6)) {
      const height = 1.3 * width;
      for (let i = 0; i < 400; i++) {
        const left = ((i * 0.618034) % 1) * (picture.width - width);
        const top = ((i * 0.754878) % 1) * (picture.height - height);
        const face = { left, top, width, height };
        const shown = levels.some(({ windows }) =>
          windows.some((window) => {
            // at 12 or more of the detector's pixels
            return isWholeIn(face, window, picture) && 320 * width / window.width >= 12;
          })
        );
        assert.ok(shown, `${width} pixels at ${left}, ${top} of ${picture.width}×${picture.height}`);
      }
    }
  }
});

Deno.test("a small picture is looked at as a whole only, and reduced windows are larger than the detector", () => {
  assert.deepEqual(windowLevels({ width: 640, height: 480 }, { smallest: 30, sight: SIGHT }), []);
  const levels = windowLevels(PICTURES[0]!, { smallest: 30, sight: SIGHT });
  assert.deepEqual(levels.map(({ windows }) => windows.length), [49, 16, 4]);
  for (const { halvings, windows } of levels) assert.ok(windows[0]!.width / 2 ** halvings >= 320);
  assert.throws(() => windowLevels(PICTURES[0]!, { smallest: 0, sight: SIGHT }), RangeError);
});

Deno.test("fragments at the side of a window are left to its neighbour, at the picture's border they are kept", () => {
  const picture = { width: 1000, height: 800 };
  const window = { left: 0, top: 200, width: 400, height: 300 };
  const face = { left: 0, top: 300, width: 50, height: 60 };
  assert.equal(isWholeIn(face, window, picture), true);
  assert.equal(isWholeIn({ ...face, left: 350 }, window, picture), false);
  assert.equal(isWholeIn({ ...face, top: 200 }, window, picture), false);
  assert.equal(isWholeIn({ ...face, width: 201 }, window, picture), false);
});
