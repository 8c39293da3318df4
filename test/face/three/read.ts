/**
 * Prints what three.js reads of a GLB file that comes through standard input, as JSON. It is a program of its own, with
 * a lock of its own, because whatever the project's lock names is fetched by everybody who runs any task.
 */

/** Values of a vertex attribute as three.js keeps them, interleaved or not. */
interface Attribute {
  readonly count: number;
  readonly itemSize: number;
  getComponent(vertex: number, axis: number): number;
}

const [loader = ""] = Deno.args;
const { GLTFLoader } = await import(loader);
const glb = new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
const { scene } = await new GLTFLoader().parseAsync(glb.buffer, "");
const [{ geometry, material }, ...others] = scene.children;
console.log(JSON.stringify({
  others: others.length,
  material: material.type,
  userData: material.userData,
  map: { colorSpace: material.map.colorSpace, flipY: material.map.flipY, width: material.map.image.width },
  position: valuesOf(geometry.attributes.position),
  normal: valuesOf(geometry.attributes.normal),
  uv: valuesOf(geometry.attributes.uv),
  index: [...geometry.index.array],
}));

function valuesOf(attribute: Attribute): number[] {
  const { count, itemSize } = attribute;
  return Array.from({ length: count * itemSize }, (_, i) => {
    return attribute.getComponent(Math.floor(i / itemSize), i % itemSize);
  });
}
