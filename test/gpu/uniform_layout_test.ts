import assert from "node:assert/strict";
import { openGpu } from "../../gpu/device.ts";
import { layUniforms, type UniformField } from "../../gpu/uniform_layout.ts";

const int = (...data: number[]): UniformField => ({ type: "int32", data });
const float = (...data: number[]): UniformField => ({ type: "float32", data });

/** What a shader reads of the fields: WGSL's own layout is the reference. */
async function readBack(fields: readonly UniformField[]): Promise<number[]> {
  const { device, assertHealthy } = await openGpu();
  const bytes = layUniforms(fields).slice();
  const scalar = ({ type }: UniformField) => type === "int32" ? "i32" : "f32";
  const declared = fields.map((field, i) => {
    const { length } = field.data;
    // A uniform's struct, and what follows it, is aligned like a vec4.
    const align = length > 4 || (fields[i - 1]?.data.length ?? 0) > 4 ? "@align(16) " : "";
    const type = length > 4
      ? `Long${length}_${scalar(field)}`
      : length > 1
      ? `vec${length}<${scalar(field)}>`
      : scalar(field);
    return `${align}f${i} : ${type},`;
  });
  const numbers = fields.flatMap(({ data }, i) => {
    if (data.length <= 1) return [`f${i}`];
    return data.map((_, k) => data.length > 4 ? `f${i}.m${k}` : `f${i}[${k}]`);
  });
  // As tfjs declares longer ones.
  const long = [5, 6].flatMap((length) =>
    ["i32", "f32"].map((type) =>
      `struct Long${length}_${type} { ${Array.from({ length }, (_, k) => `m${k} : ${type},`).join(" ")} }`
    )
  );
  const code = `${long.join("\n")}
struct Uniforms { ${declared.join(" ")} }
@group(0) @binding(0) var<storage, read_write> result : array<f32>;
@group(0) @binding(1) var<uniform> u : Uniforms;
@compute @workgroup_size(1) fn main() { ${numbers.map((name, i) => `result[${i}] = f32(u.${name});`).join(" ")} }`;
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }), entryPoint: "main" },
  });
  const size = 4 * numbers.length;
  const result = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const uniform = device.createBuffer({
    size: bytes.byteLength,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(uniform, 0, bytes);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [result, uniform].map((buffer, binding) => ({ binding, resource: { buffer } })),
    }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(result, 0, read, 0, size);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(GPUMapMode.READ);
  const values = [...new Float32Array(read.getMappedRange())];
  for (const buffer of [result, read, uniform]) buffer.destroy();
  await assertHealthy("uniform layout test");
  return values;
}

Deno.test("uniforms lie where WGSL reads them", async () => {
  const structs = [
    [int(7)],
    [float(0.5), int(1, 2), int(3)],
    [int(1), int(2, 3, 4), int(5), int(6, 7), float(8, 9, 10, 11), int(12)],
    [float(0.25), int(1, 2, 3), float(4)],
    [int(1, 2, 3, 4, 5), int(6, 7), int(8)],
    [int(1), int(1, 2, 3, 4, 5, 6), int(7, 8, 9, 10, 11), int(12), float(13)],
  ];
  for (const fields of structs) {
    assert.deepEqual(await readBack(fields), fields.flatMap(({ data }) => data), JSON.stringify(fields));
  }
});

Deno.test("a field without numbers is a 1; one of seven is refused; large structs have memory of their own", () => {
  assert.deepEqual([...new Int32Array(layUniforms([int(), int(5)]).slice().buffer)], [1, 5]);
  assert.throws(() => layUniforms([int(1, 2, 3, 4, 5, 6, 7)]), /7 numbers/);
  const many = Array.from({ length: 2000 }, (_, i) => int(i));
  assert.deepEqual([...new Int32Array(layUniforms(many).slice().buffer)], many.map(({ data }) => data[0]));
});
