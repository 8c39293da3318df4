import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { care } from "../../commands/care.ts";
import { byteText, place } from "../../commands/common.ts";
import { gitCommit } from "../../commands/facts.ts";
import { methodMeans } from "../../commands/gate_metrics.ts";
import { reconstruct } from "../../commands/reconstruct.ts";
import { runs } from "../../commands/runs.ts";
import { status } from "../../commands/status.ts";
import { remoteOf, travel } from "../../commands/travel.ts";

Deno.test("--version says the version, the commit and Deno's version", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-read", "--allow-env", "main.ts", "--version"],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
  }).output();
  assert.equal(code, 0);
  assert.match(
    new TextDecoder().decode(stdout),
    /^ftim \d+\.\d+\.\d+(, commit [0-9a-f]{40})?, Deno \d+\.\d+\.\d+\n$/,
  );
});

Deno.test("the commit is read from a branch, a packed branch, a detached head and a linked work tree", () => {
  const root = Deno.makeTempDirSync();
  const [a, b] = ["a".repeat(40), "b".repeat(40)];
  const put = (path: string, text: string) => {
    Deno.mkdirSync(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${root}/${path}`, `${text}\n`);
  };
  try {
    put(".git/HEAD", "ref: refs/heads/main");
    assert.equal(gitCommit(root), null);
    put(".git/packed-refs", `# pack-refs\n${b} refs/heads/other\n${a} refs/heads/main`);
    assert.equal(gitCommit(root), a);
    put(".git/refs/heads/main", b);
    Deno.mkdirSync(`${root}/deep/er`, { recursive: true });
    assert.equal(gitCommit(`${root}/deep/er`), b);
    put(".git/worktrees/w/HEAD", "ref: refs/heads/other");
    put(".git/worktrees/w/commondir", "../..");
    put("w/.git", `gitdir: ${root}/.git/worktrees/w`);
    assert.equal(gitCommit(`${root}/w`), b);
    put(".git/HEAD", a);
    assert.equal(gitCommit(root), a);
    put(".git/HEAD", "nonsense");
    assert.equal(gitCommit(root), null);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});

Deno.test("metrics are means over the faces, by method, region and metric; PSNR of equal images apart", () => {
  const scores = (value: number, psnr: number | null) => {
    const l1 = psnr === null ? 0 : value;
    return {
      masked: { l1, psnr, ssim: value, cosine: value },
      full: { l1, psnr, ssim: value, cosine: value, cosine512: value },
    };
  };
  const face = (name: string, value: number, psnr: number | null) => ({
    face: name,
    maskShare: 0.5,
    methods: Object.fromEntries(
      ["deca", "chen", "deng", "tran", "printed", "ours"].map((method) => [method, scores(value, psnr)]),
    ),
  });
  const means = methodMeans([face("a", 0.25, 30), face("b", 0.75, null)]);
  assert.equal(means.faces, 2);
  assert.equal(means["ours.masked.l1"], 0.125);
  assert.equal(means["ours.masked.ssim"], 0.5);
  assert.equal(means["deca.full.psnr"], 30);
  assert.equal(Object.keys(means).length, 1 + 6 * 9);
  assert.throws(() => methodMeans([{ face: "a" }]));
});

Deno.test("places to push to: a folder or s3 with keys; anything else is refused with the reason", () => {
  const names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
  const before = names.map((name) => [name, Deno.env.get(name)] as const);
  try {
    names.forEach((name) => Deno.env.delete(name));
    assert.ok(remoteOf("some/folder"));
    assert.throws(() => remoteOf("ftp://host/x"), /a folder or s3:/);
    assert.throws(() => remoteOf("s3://"), /lacks the bucket/);
    assert.throws(() => remoteOf("s3://bucket/x"), /AWS_ACCESS_KEY_ID/);
    names.forEach((name) => Deno.env.set(name, "key"));
    assert.ok(remoteOf("s3://bucket/x/"));
  } finally {
    for (const [name, value] of before) value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  }
});

Deno.test("sizes for people", () => {
  assert.deepEqual([0, 999, 1000, 123_456_789, 5e15].map(byteText), ["0 B", "999 B", "1 kB", "123 MB", "5000 TB"]);
});

Deno.test("an empty name of a folder or file is refused by every option and argument that takes one", async () => {
  assert.throws(() => place(""), /It is empty: name a folder/);
  assert.throws(() => remoteOf(""), /It is empty/);
  const lines: readonly (readonly [string, readonly string[]])[] = [
    ["--store <folder>", ["status", "--store", ""]],
    ["--results <folder>", ["publish", "latest", "--results", ""]],
    ["--results <folder>", ["gc", "--results="]],
    ["--data <folder>", ["status", "--data", ""]],
    ["--output <folder>", ["reconstruct", "a.jpg", "--output", ""]],
    ["place", ["push", ""]],
    ["tar", ["export", ""]],
  ];
  for (const [name, args] of lines) {
    const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
    for (const add of [care, reconstruct, runs, status, travel]) add(program);
    // were it not refused, a command such as gc would do its work
    program.commands.forEach((command) => command.action(() => assert.fail("it was taken")));
    await assert.rejects(program.parseAsync([...args], { from: "user" }), (error: Error) => {
      assert.ok(error.message.includes(name) && error.message.includes("is empty"), `${args.join(" ")}: ${error}`);
      return true;
    });
  }
});
