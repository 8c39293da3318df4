/**
 * Learning the morphable model: align all meshes to their common mean (generalised Procrustes), then principal
 * components of the persons' means (identity), of each person's deviations from their mean (expression), and of albedo
 * maps. Every mesh also counts mirrored: faces have no preferred side, so the mean is exactly symmetric.
 *
 * The heavy sums over albedo maps run on the device (gram.ts). Those over meshes, of a few hundred vertices, are in
 * f64: `synthesize` draws expressions along these components, so they must be the same on every adapter.
 */
import type { Tfjs } from "@ftim/gpu/tfjs";
import { canonicalFrame } from "./frame.ts";
import { principalComponentsOnDevice } from "./gram.ts";
import type { MorphableModel, ShapeModel } from "./morphable.ts";
import { principalComponents } from "./pca.ts";
import { flipYZ, invertPose, procrustes } from "./pose.ts";
import { mirrorVertices, type SymmetricTopology } from "./topology.ts";

/** One mesh and whose it is. */
export interface ShapeSample {
  /** 3V, crop pixels (x right, y down, z away), any pose and size. */
  readonly vertices: Float32Array;
  /** Meshes of one person carry one name. */
  readonly identity: string;
}

/**
 * Learns the shape model.
 *
 * @param options.identities Most identity components. Default 20.
 * @param options.expressions Most expression components. Default 10; none if no person has two meshes.
 * @throws RangeError without samples.
 */
export function fitShapeModel(
  samples: readonly ShapeSample[],
  { topology, identities = 20, expressions = 10 }: {
    topology: SymmetricTopology;
    identities?: number;
    expressions?: number;
  },
): ShapeModel {
  if (samples.length === 0) throw new RangeError("A morphable model needs at least one mesh");
  const views = samples.map(({ vertices }) => flipYZ(vertices));
  const groups = [...Map.groupBy(samples.keys(), (i) => samples[i]!.identity).values()];
  let mean = upright(views[0]!, topology);
  let aligned: Float32Array[] = [];
  let persons: Float32Array[] = [];
  for (let turn = 0; turn < 8; turn++) {
    aligned = views.map((view) => invertPose(procrustes(mean, { target: view }), view));
    persons = groups.map((members) => average(members.map((i) => aligned[i]!)));
    mean = upright(average(persons), topology);
  }
  const withMirror = (deviations: Float32Array[]) => [
    ...deviations,
    ...deviations.map((deviation) => mirrorVertices(deviation, topology)),
  ];
  const identity = principalComponents(withMirror(persons.map((person) => subtract(person, mean))), {
    count: identities,
    degrees: 2 * (persons.length - 1),
  });
  const deviations = groups.flatMap((members, p) =>
    members.length < 2 ? [] : members.map((i) => subtract(aligned[i]!, persons[p]!))
  );
  const lone = groups.filter((members) => members.length < 2).length;
  const expression = principalComponents(withMirror(deviations), {
    count: expressions,
    degrees: 2 * (deviations.length - (groups.length - lone)),
  });
  return {
    mean,
    identityBasis: identity.basis,
    identitySigma: identity.sigma,
    expressionBasis: expression.basis,
    expressionSigma: expression.sigma,
  };
}

/**
 * Learns the albedo part.
 *
 * @param albedos Complete maps of one size, size²·3, 0..1; pass mirrored maps too for a symmetric mean.
 * @param options.count Most components. Default 20.
 */
export async function fitAlbedoModel(
  tf: Tfjs,
  albedos: readonly Float32Array[],
  { count = 20 }: { count?: number } = {},
): Promise<Pick<MorphableModel, "albedoMean" | "albedoBasis" | "albedoSigma">> {
  if (albedos.length === 0) throw new RangeError("An albedo model needs at least one map");
  const albedoMean = average(albedos);
  const deviations = albedos.map((albedo) => subtract(albedo, albedoMean));
  const { basis, sigma } = await principalComponentsOnDevice(tf, deviations, { count });
  return { albedoMean, albedoBasis: basis, albedoSigma: sigma };
}

/** Shape model and albedo model in one: the shape is learned on a topology, or it is known. */
export async function fitMorphable(
  tf: Tfjs,
  samples: readonly ShapeSample[],
  { albedos, components = {}, ...on }: {
    albedos: readonly Float32Array[];
    components?: { identities?: number; expressions?: number; albedos?: number };
  } & ({ topology: SymmetricTopology } | { shape: ShapeModel }),
): Promise<MorphableModel> {
  const { albedos: count, ...shape } = components;
  return {
    ...("shape" in on ? on.shape : fitShapeModel(samples, { ...on, ...shape })),
    ...await fitAlbedoModel(tf, albedos, count === undefined ? {} : { count }),
  };
}

/** The mesh made symmetric, upright, centred and of unit size: a mean's place in model space. */
function upright(view: Float32Array, topology: SymmetricTopology): Float32Array {
  const framed = invertPose(canonicalFrame(view, topology), view);
  const symmetric = average([framed, mirrorVertices(framed, topology)]);
  return invertPose(canonicalFrame(symmetric, topology), symmetric);
}

function average(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(vectors[0]!.length);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + vector[i]!;
  return Float32Array.from(sum, (value) => value / vectors.length);
}

function subtract(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value - b[i]!);
}
