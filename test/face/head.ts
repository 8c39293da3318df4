// A head for tests: half an ellipsoid with a nose, on a grid of vertices whose UV chart is symmetric.
import { poseToCrop, rotationFromAngles } from "../../face/pose.ts";
import { createTopology, type SymmetricTopology } from "../../face/topology.ts";

/**
 * Topology of an n×n grid (n odd) and its vertices in model space (x right, y up, z to the viewer), about unit size.
 */
export function gridHead(
  n = 21,
  { nose: height = 0.5 }: { nose?: number } = {},
): { topology: SymmetricTopology; model: Float32Array } {
  const uvs = new Float32Array(2 * n * n);
  const model = new Float32Array(3 * n * n);
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      const at = j * n + i;
      const [s, t] = [2 * i / (n - 1) - 1, 2 * j / (n - 1) - 1];
      // A square mapped onto a disc, so that the chart has a round outline as a face has.
      const [x, y] = [s * Math.sqrt(1 - t * t / 2), t * Math.sqrt(1 - s * s / 2)];
      uvs.set([0.5 + 0.47 * x, 0.5 + 0.45 * y], 2 * at);
      const nose = height * Math.exp(-(x * x / 0.02 + (y - 0.1) ** 2 / 0.06));
      const angle = 1.45 * Math.hypot(x, y);
      const k = angle > 0 ? Math.sin(angle) / Math.hypot(x, y) : 1.45;
      model.set([0.8 * k * x, -k * y, 0.9 * Math.cos(angle) + nose], 3 * at);
    }
  }
  const triangles: number[] = [];
  for (let j = 0; j + 1 < n; j++) {
    for (let i = 0; i + 1 < n; i++) {
      const [a, b, c, d] = [j * n + i, j * n + i + 1, (j + 1) * n + i, (j + 1) * n + i + 1];
      if (2 * i < n - 1) triangles.push(a, c, d, a, d, b);
      else triangles.push(a, c, b, b, c, d);
    }
  }
  return { topology: createTopology({ triangles: Uint32Array.from(triangles), uvs }), model };
}

/** A reproducible stream of numbers in 0..1 (mulberry32). */
export function randomStream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Largest absolute difference. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    worst = Math.max(worst, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)));
  }
  return worst;
}

/** A head in the middle of a crop of 224², turned; about 160 pixels wide. */
export function posedHead(yaw: number, model: Float32Array): Float32Array {
  const rotation = rotationFromAngles({ yaw, pitch: 0, roll: 0 });
  return poseToCrop({ scale: 80, rotation, translation: Float64Array.of(112, -112, 0) }, model);
}

/** A smooth texture, different everywhere. */
export function waves(size: number): Float32Array {
  return Float32Array.from({ length: 3 * size * size }, (_, k) => {
    const [u, v] = [Math.floor(k / 3) % size / size, Math.floor(k / 3 / size) / size];
    return 0.5 + 0.25 * Math.sin(20 * u + (k % 3)) + 0.2 * Math.cos(17 * v * (1 + k % 3 / 4));
  });
}
