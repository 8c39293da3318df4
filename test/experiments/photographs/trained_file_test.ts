import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sha256 } from "@ftim/pipeline";
import { checkTrained } from "../../../experiments/photographs/trained_file.ts";
import { decodeSafetensors, encodeSafetensors, safetensorsMetadata } from "../../../nets/safetensors.ts";
import { withScratch } from "../../stages/scratch.ts";
import { smallTraining } from "../small_training.ts";

Deno.test("trained networks that are damaged are refused by name, with how to restore them", () =>
  withScratch(async ({ folder, write }) => {
    const whole = await smallTraining();
    const refused = async (bytes: Uint8Array, message: RegExp) => {
      await write("trained.safetensors", bytes);
      await assert.rejects(checkTrained(`${folder}/trained.safetensors`, { restore: "Do this." }), (error: Error) => {
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(`${folder}/trained.safetensors `) && error.message.endsWith("Do this."));
        return true;
      });
    };
    await refused(whole.slice(0, -5), /is cut short: \d+ of \d+ bytes are there/);
    await refused(whole.slice(0, 100), /is cut short: it ends within its table of contents/);
    await refused(new Uint8Array(), /is empty/);
    await refused(new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\noid sha256:12\n"), /Git LFS/);
    await refused(new TextEncoder().encode("a photograph, or whatever it is"), /is no safetensors file/);
    const longer = new Uint8Array([...whole, 0]);
    await refused(longer, /contradicts itself/);
    // what reads as a training and is not the one that was published
    await write("trained.sha256", `${sha256(whole)}  trained.safetensors\n`);
    const flipped = whole.slice();
    for (let i = 0; i < 2000; i++) flipped[whole.length - 1 - 7 * i]! ^= 1;
    await refused(flipped, /is damaged: its content is not that of which trained\.sha256 has the hash/);
    await write("trained.safetensors", whole);
    await checkTrained(`${folder}/trained.safetensors`, { restore: "" });
  }));

Deno.test("a training of the user's own must hold network, model and correction that fit, in numbers", () =>
  withScratch(async ({ folder, write }) => {
    const whole = await smallTraining();
    const path = `${folder}/mine.safetensors`;
    const { sha256: _, ...metadata } = safetensorsMetadata(whole);
    const changed = async (change: (tensors: ReturnType<typeof decodeSafetensors>) => void, about = metadata) => {
      const tensors = decodeSafetensors(whole);
      change(tensors);
      await write("mine.safetensors", encodeSafetensors(tensors, about));
    };
    const refused = (message: RegExp) => assert.rejects(checkTrained(path, { restore: "" }), message);
    await assert.rejects(checkTrained(path, { restore: "" }), /there is no such file/);
    await assert.rejects(checkTrained(folder, { restore: "" }), /is a folder/);
    await write("mine.safetensors", whole);
    await checkTrained(path, { restore: "" });
    const odd = whole.slice();
    odd[whole.length - 9]! ^= 1;
    await write("mine.safetensors", odd);
    await refused(/is damaged: its values are not those that it has the hash of/);
    await changed(() => {}, {});
    await refused(/does not say the network's sizes/);
    await changed((tensors) => delete tensors[Object.keys(tensors).find((name) => name.startsWith("network/"))!]);
    await refused(/the network's "\S+" is not there/);
    await changed((tensors) => delete tensors["model/albedoBasis.scale"]);
    await refused(/no face model/);
    await changed((tensors) => delete tensors["model/mean"]);
    await refused(/no float32 array "mean"/);
    await changed((tensors) => delete tensors["correction/coefficients"]);
    await refused(/no mesh correction: an earlier version/);
    await changed((tensors) => void (tensors["model/mean"]!.data[3] = NaN));
    await refused(/"model\/mean" holds values that are no numbers/);
  }));

Deno.test("the committed networks are those of which the hash is committed", async () => {
  const path = fileURLToPath(new URL("../../../results/embedded/trained.safetensors", import.meta.url));
  const hash = (await Deno.readTextFile(path.replace(/safetensors$/, "sha256"))).split(" ")[0];
  assert.equal(sha256(await Deno.readFile(path)), hash);
  await checkTrained(path, { restore: "" });
});
