/**
 * Prints what three.js reads of a GLB file that comes through standard input, as JSON, and what a viewer sees who looks
 * along −z at the points that the second argument names, and along +z. It is a program of its own, with a lock of its
 * own, because whatever the project's lock names is fetched by everybody who runs any task.
 */

/** Values of a vertex attribute as three.js keeps them, interleaved or not. */
interface Attribute {
  readonly count: number;
  readonly itemSize: number;
  getComponent(vertex: number, axis: number): number;
}

const [three = "", points = ""] = Deno.args;
const { Raycaster, Vector3 } = await import(three);
const { GLTFLoader } = await import(`${three}/examples/jsm/loaders/GLTFLoader.js`);
const glb = new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
const { scene } = await new GLTFLoader().parseAsync(glb.buffer, "");
const [{ geometry, material }, ...others] = scene.children;
const { colorSpace, flipY, image: { width, height } } = material.map;
console.log(JSON.stringify({
  others: others.length,
  material: material.type,
  userData: material.userData,
  map: { colorSpace, flipY, width, height },
  position: valuesOf(geometry.attributes.position),
  normal: valuesOf(geometry.attributes.normal),
  uv: valuesOf(geometry.attributes.uv),
  index: [...geometry.index.array],
  front: (JSON.parse(points) as [number, number][]).map((point) => look(point, -1)),
  back: (JSON.parse(points) as [number, number][]).map((point) => look(point, 1)),
}));

function valuesOf(attribute: Attribute): number[] {
  const { count, itemSize } = attribute;
  return Array.from({ length: count * itemSize }, (_, i) => {
    return attribute.getComponent(Math.floor(i / itemSize), i % itemSize);
  });
}

/** Where in the texture's image, 0..1 from its upper left, the nearest visible triangle has its colour; or null. */
function look([x, y]: readonly [number, number], direction: 1 | -1): [number, number] | null {
  // A ray passes through the backs of triangles whose material has one side, as the renderer does.
  const ray = new Raycaster(new Vector3(x, y, -direction), new Vector3(0, 0, direction));
  const [hit] = ray.intersectObject(scene, true);
  return hit === undefined ? null : material.map.transformUv(hit.uv.clone()).toArray();
}
