/**
 * Fits of many faces at once beside their twins in JavaScript: light and linear albedo, the displacement that explains
 * wrinkles, normal maps, and the Gram matrix of principal components.
 */
import { disposeAlbedoBasis, uploadAlbedoBasis } from "../../face/albedo_basis.ts";
import { fitAlbedo } from "../../face/fit_albedos_cpu.ts";
import { fitDetail } from "../../face/fit_details_cpu.ts";
import { fitAlbedos } from "../../face/fit_albedos.ts";
import { fitDetails } from "../../face/fit_details.ts";
import { fitLights } from "../../face/fit_lights.ts";
import { gramMatrix, principalComponentsOnDevice } from "../../face/gram.ts";
import { fitLight } from "../../face/fit_lights_cpu.ts";
import { shade } from "../../face/light_cpu.ts";
import { type AlbedoModel, albedoOf } from "../../face/morphable.ts";
import { normalMaps, sampleNormals, shadingMaps, uploadMeshes } from "../../face/normal_maps.ts";
import { principalComponents } from "../../face/pca.ts";
import { uploadSamples } from "../../face/sampled_texels.ts";
import { shadeMaps } from "../../face/shade_maps.ts";
import { normalMap, shadingMap } from "../../face/normal_maps_cpu.ts";
import { uvMap } from "../../face/uv_map.ts";
import { disposeUvTables } from "../../face/uv_tables.ts";
import { gaussian } from "../../nets/random.ts";
import { gridHead } from "../../test/face/head.ts";
import { finish, type Lab, rounded, type Row, timeAsync } from "./lab.ts";
import { posed, SIZE } from "./scene.ts";

const FACES = 16;
const COMPONENTS = 20;
const TEXELS = SIZE * SIZE;
const ALBEDO = { noise: 0.0025, lightRidge: 0.01, huber: 0.06, turns: 6 };
const LIGHT = { ridge: 0.1, secondOrder: 1, tint: 0 };
const DETAIL = { smoothness: 0.002, damping: 1e-5, iterations: 80 };

/** One row for each piece of work. */
export async function benchFits(lab: Lab): Promise<Row[]> {
  const { tf } = lab;
  const { topology, model: head } = gridHead(21);
  const { inside } = uvMap(topology, SIZE);
  const model = albedoModel();
  const faces = Array.from(
    { length: FACES },
    (_, i) => faceOf(model, { vertices: posed(head, 4 * i - 30), topology, i }),
  );
  const rows: Row[] = [];
  const compare = async (work: string, { device, cpu }: { device: () => Promise<unknown>; cpu: () => void }) => {
    const [ours, twin] = [await timeAsync(device), await timeAsync(() => Promise.resolve(cpu()))];
    rows.push({
      work,
      "ours ms": rounded(ours),
      "in JavaScript ms": rounded(twin),
      "times JavaScript": rounded(twin / ours),
    });
  };
  const meshes = faces.map(({ vertices }) => vertices);
  const options = { topology, size: SIZE };
  const whole = (name: "texture" | "visibility" | "light" | "albedo", shape: number[], count: number) => {
    const length = faces[0]![name].length;
    const values = new Float32Array(count * length);
    for (let i = 0; i < count; i++) values.set(faces[i]![name], i * length);
    return tf.tensor(values, [count, ...shape]);
  };

  await compare(`normals and shading of ${FACES} faces`, {
    device: async () => {
      tf.tidy(() => {
        const vertices = uploadMeshes(tf, meshes, topology);
        shadingMaps(tf, vertices, { ...options, light: whole("light", [27], FACES) });
      });
      await finish(lab);
    },
    cpu: () => faces.forEach(({ vertices, light }) => shadingMap(vertices, { light, ...options })),
  });

  const normalsOf = meshes.map((vertices) => normalMap(vertices, topology, { size: SIZE }));
  const normals = tf.tidy(() => normalMaps(tf, uploadMeshes(tf, meshes, topology), options));
  await compare(`shading of the normals of ${FACES} faces`, {
    device: async () => {
      tf.tidy(() => shadeMaps(tf, normals, whole("light", [27], FACES)));
      await finish(lab);
    },
    cpu: () => faces.forEach(({ light }, i) => shade(normalsOf[i]!, light)),
  });
  normals.dispose();

  const basis = uploadAlbedoBasis(tf, model, { inside });
  const seen = () => ({
    texture: uploadSamples(tf, faces.map(({ texture }) => texture), basis),
    weight: uploadSamples(tf, faces.map(({ visibility }) => visibility), basis),
    normals: tf.tidy(() => sampleNormals(tf, uploadMeshes(tf, meshes, topology), { ...options, places: basis.places })),
  });
  await compare(`light and albedo of ${FACES} faces`, {
    device: async () => {
      const maps = seen();
      await fitAlbedos(tf, maps, { basis, ...ALBEDO });
      tf.dispose(Object.values(maps));
    },
    cpu: () =>
      faces.forEach(({ vertices, texture, visibility: weight }) =>
        fitAlbedo(model, { texture, weight, normals: normalMap(vertices, topology, { size: SIZE }) }, ALBEDO)
      ),
  });

  const maps = { ...seen(), albedo: uploadSamples(tf, [model.albedoMean], basis) };
  const samples = await Promise.all(faces.map(async (_, i) => {
    const part = async (map: typeof maps.texture) => {
      const values = await map.data<"float32">();
      const length = values.length / map.shape[0]!;
      return values.slice((i % map.shape[0]!) * length, (i % map.shape[0]! + 1) * length);
    };
    const { texture, weight, normals, albedo } = maps;
    const [colours, weights, own, mean] = await Promise.all([texture, weight, normals, albedo].map(part));
    return { colours: colours!, weights: weights!, normals: own!, albedo: mean! };
  }));
  const four = tf.tidy(() => {
    const often = (map: typeof maps.texture) => tf.concat([map, map, map, map]);
    return { ...maps, texture: often(maps.texture), weight: often(maps.weight), normals: often(maps.normals) };
  });
  await compare(`light of ${4 * FACES} faces`, {
    device: () => fitLights(tf, four, LIGHT),
    cpu: () => [...samples, ...samples, ...samples, ...samples].forEach((sample) => fitLight(sample, LIGHT)),
  });
  tf.dispose([four.texture, four.weight, four.normals]);
  tf.dispose(Object.values(maps));
  disposeAlbedoBasis(basis);

  await compare(`displacement of ${FACES / 2} faces`, {
    device: async () => {
      tf.tidy(() =>
        fitDetails(tf, {
          vertices: uploadMeshes(tf, meshes.slice(0, FACES / 2), topology),
          light: whole("light", [27], FACES / 2),
          albedo: whole("albedo", [SIZE, SIZE, 3], FACES / 2),
          texture: whole("texture", [SIZE, SIZE, 3], FACES / 2),
          visibility: whole("visibility", [SIZE, SIZE], FACES / 2),
        }, { ...options, ...DETAIL })
      );
      await finish(lab);
    },
    cpu: () => faces.slice(0, FACES / 2).forEach((face) => fitDetail({ ...face, ...options }, DETAIL)),
  });
  disposeUvTables(topology);

  const vectors = Array.from(
    { length: 64 },
    (_, i) => Float32Array.from({ length: 3 * TEXELS }, (_, k) => Math.sin(0.01 * k * (i + 1) + i)),
  );
  await compare(`Gram matrix of 64 vectors of ${3 * TEXELS}`, {
    device: () => gramMatrix(tf, vectors),
    cpu: () => gramOnCpu(vectors),
  });
  await compare(`20 principal components of the same`, {
    device: () => principalComponentsOnDevice(tf, vectors, { count: COMPONENTS }),
    cpu: () => principalComponents(vectors, { count: COMPONENTS }),
  });
  return rows;
}

/** An albedo model of smooth noise. */
function albedoModel(): AlbedoModel {
  const normal = gaussian(1);
  return {
    albedoMean: new Float32Array(3 * TEXELS).fill(0.5),
    albedoBasis: Float32Array.from({ length: 3 * TEXELS * COMPONENTS }, () => normal() / Math.sqrt(3 * TEXELS)),
    albedoSigma: new Float32Array(COMPONENTS).fill(10),
  };
}

/** A face of the model in a light of its own, with wrinkles; what lies in the chart and to the viewer is seen. */
function faceOf(
  model: AlbedoModel,
  { vertices, topology, i }: {
    vertices: Float32Array;
    topology: ReturnType<typeof gridHead>["topology"];
    i: number;
  },
) {
  const normal = gaussian(i + 2);
  const light = Float32Array.from({ length: 27 }, (_, k) => k < 3 ? 3 : 0.2 * normal());
  const albedo = albedoOf(model, Float32Array.from({ length: COMPONENTS }, () => normal()));
  const normals = normalMap(vertices, topology, { size: SIZE });
  const wrinkle = (k: number) => 0.01 * Math.sin(0.7 * (Math.floor(k / 3) % SIZE));
  const texture = shade(normals, light).map((value, k) => value * albedo[k]! + wrinkle(k));
  const { inside } = uvMap(topology, SIZE);
  const visibility = Float32Array.from(inside, (within, k) => within * Math.max(0, normals[3 * k + 2]!));
  return { vertices, light, albedo, texture, visibility };
}

function gramOnCpu(vectors: readonly Float32Array[]): Float64Array {
  const gram = new Float64Array(vectors.length ** 2);
  for (const [i, a] of vectors.entries()) {
    for (let j = 0; j <= i; j++) {
      const b = vectors[j]!;
      let sum = 0;
      for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
      gram[i * vectors.length + j] = gram[j * vectors.length + i] = sum;
    }
  }
  return gram;
}
