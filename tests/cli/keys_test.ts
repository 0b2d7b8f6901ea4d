/** API keys from the command line to the door. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { ApiKeysFile, hashSecret } from "../../serving/access/mod.ts";
import { newSecret } from "../../cli/_keys_secret.ts";
import { changeKeysFile } from "../../cli/_keys_file.ts";
import { workplace } from "./_cli.ts";

const SECRET_REGEXP = /^sk-[A-Za-z0-9]{48}$/;

async function entriesOf(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort();
}

Deno.test("newSecret() is long, and uses each letter and digit as often as any other", () => {
  const counts = new Map<string, number>();
  const secrets = Array.from({ length: 400 }, newSecret);
  for (const secret of secrets) {
    assertMatch(secret, SECRET_REGEXP);
    for (const letter of secret.slice(3)) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  assertEquals([new Set(secrets).size, counts.size], [400, 62]);
  // Of 310 expected, nine standard deviations to either side.
  const all = [...counts.values()];
  assert(Math.min(...all) > 150 && Math.max(...all) < 470, `${Math.min(...all)} to ${Math.max(...all)}`);
});

Deno.test("cli.ts keys create prints the key alone, and writes its hash for its owner only", async () => {
  await using place = await workplace();
  const file = join(place.path, "keys.json");
  const made = await place.run([
    ...["keys", "create", "--name", "ci", "--file", "keys.json", "--model", "demo", "--model", "llama*"],
    ...["--requests-per-minute", "60", "--tokens-per-minute", "100000", "--max-concurrency", "4"],
  ]);
  assertEquals(made.code, 0, made.stderr);
  const secret = made.stdout.trimEnd();
  assertMatch(secret, SECRET_REGEXP);
  assertEquals(made.stdout, `${secret}\n`);
  assertStringIncludes(made.stderr, "it is not shown again");
  assertStringIncludes(made.stderr, "serve with --api-keys keys.json");
  assert(!made.stderr.includes(secret));
  const text = await Deno.readTextFile(file);
  assertEquals(JSON.parse(text), {
    keys: [{
      name: "ci",
      sha256: hashSecret(secret),
      models: ["demo", "llama*"],
      requests_per_minute: 60,
      tokens_per_minute: 100_000,
      max_concurrency: 4,
    }],
  });
  if (Deno.build.os !== "windows") assertEquals((await Deno.stat(file)).mode ?? 0, 0o100600);
  assertEquals(await entriesOf(place.path), ["keys.json"]);
  using keys = await ApiKeysFile.open(file);
  assertEquals(keys.find(`Bearer ${secret}`).name, "ci");
});

Deno.test("cli.ts keys create without a file prints the entry aside, and as JSON both", async () => {
  await using place = await workplace();
  const made = await place.run(["keys", "create", "--name", "ci"]);
  assertEquals(made.code, 0, made.stderr);
  const secret = made.stdout.trimEnd();
  assertMatch(secret, SECRET_REGEXP);
  assertStringIncludes(made.stderr, JSON.stringify({ name: "ci", sha256: hashSecret(secret) }));
  const { key, entry } = await place.json(["keys", "create", "--name", "b", "--model", "demo", "--json"]);
  assertMatch(key, SECRET_REGEXP);
  assertEquals(entry, { name: "b", sha256: hashSecret(key), models: ["demo"] });
  assertEquals(await entriesOf(place.path), []);
});

Deno.test("cli.ts keys lists and removes the keys of a file, and shows no hash", async () => {
  await using place = await workplace();
  const create = ["keys", "create", "--file", "keys.json", "--json", "--name"];
  const first = await place.json([...create, "first", "--max-concurrency", "2"]);
  const second = await place.json([...create, "second", "--model", "demo", "--model", "llama3.2:*"]);
  assertEquals(await place.json(["keys", "list", "--file", "keys.json", "--json"]), [
    { name: "first", max_concurrency: 2 },
    { name: "second", models: ["demo", "llama3.2:*"] },
  ]);
  const listed = await place.run(["keys", "list", "--file", "keys.json"]);
  assertEquals(listed.stdout.split("\n").map((line) => line.split(/ {2,}/)), [
    ["NAME", "MODELS", "REQUESTS/MIN", "TOKENS/MIN", "AT ONCE"],
    ["first", "all", "no limit", "no limit", "2"],
    ["second", "demo, llama3.2:*", "no limit", "no limit", "no limit"],
    [""],
  ]);
  const removed = await place.run(["keys", "remove", "--name", "first", "--file", "keys.json"]);
  assertEquals([removed.code, removed.stdout], [0, 'Key "first" is no more in "keys.json"\n'], removed.stderr);
  assertEquals(JSON.parse(await Deno.readTextFile(join(place.path, "keys.json"))).keys, [second.entry]);
  assertEquals(first.entry.name, "first");
  assertEquals(await entriesOf(place.path), ["keys.json"]);
});

Deno.test("cli.ts keys says what is wrong with a file or a name, and leaves the file as it was", async () => {
  await using place = await workplace();
  const { key } = await place.json(["keys", "create", "--name", "ci", "--file", "good.json", "--json"]);
  const good = await Deno.readTextFile(join(place.path, "good.json"));
  const bad = `{"keys": [{"name": "ci", "key": "${key}"}]}`;
  await place.write("bad.json", bad);
  for (
    const [args, message] of [
      [["create", "--name", "ci", "--file", "good.json"], "there is one of that name. Choose another, or remove it by"],
      [["create", "--name", "b", "--file", "bad.json"], '"keys.0.key": The key itself must not stand here'],
      [["create", "--name", "b", "--file", "none/keys.json"], 'Cannot write "none/keys.json": there is no such folder'],
      [["create", "--name", "b", "--file", "."], "Cannot "],
      [["remove", "--name", "c", "--file", "good.json"], 'Cannot remove key "c" from "good.json": '],
      [["remove", "--name", "co", "--file", "good.json"], 'did you mean "ci"?'],
      [["remove", "--name", "ci", "--file", "none.json"], "there is no such file"],
      [["remove", "--name", "ci", "--file", "bad.json"], '"keys.0.key"'],
      [["list", "--file", "none.json"], "there is no such file"],
      [["list", "--file", "bad.json"], 'Cannot read API keys from "bad.json": '],
    ] as const
  ) {
    const { code, stdout, stderr } = await place.run(["keys", ...args]);
    assertEquals([code, stdout], [1, ""], stderr);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    assertStringIncludes(stderr, message);
    assert(!stderr.includes(key), stderr);
  }
  assertEquals(await Deno.readTextFile(join(place.path, "good.json")), good);
  assertEquals(await Deno.readTextFile(join(place.path, "bad.json")), bad);
  assertEquals(await entriesOf(place.path), ["bad.json", "good.json"]);
});

for (
  const [args, message] of [
    [["create"], "--name NAME is missing"],
    [["create", "--name", "a b"], "--name must be a name of 1 to 64 letters"],
    [["create", "--name", "ci", "--file", ""], "--file must not be empty"],
    [["create", "--name", "ci", "--model", "a*b"], '--model must be the name of a model, with "*" at its end only'],
    [["create", "--name", "ci", "--model", ""], "--model must be the name of a model"],
    [["create", "--name", "ci", "--max-concurrency", "0"], "--max-concurrency must be a whole number from 1 to"],
    [["create", "--name", "ci", "--requests-per-minute", "-1"], "--requests-per-minute must be a whole number"],
    [["create", "--name", "ci", "--tokens-per-minute", "1e5"], "--tokens-per-minute must be a whole number"],
    [["list"], "--file FILE is missing"],
    [["remove", "--file", "keys.json"], "--name NAME is missing"],
    [["rotate"], "There is no command 'keys rotate'"],
  ] as const
) {
  Deno.test(`cli.ts keys ${args.join(" ")} is wrong usage, and makes no file`, async () => {
    await using place = await workplace();
    const { code, stdout, stderr } = await place.run(["keys", ...args]);
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, message);
    assertEquals(await entriesOf(place.path), []);
  });
}

Deno.test("changeKeysFile() loses no change when many come at the same time, and readers see whole files", async () => {
  const folder = await Deno.makeTempDir({ prefix: "keys-" });
  try {
    const path = join(folder, "keys.json");
    const warnings: string[] = [];
    await changeKeysFile(path, () => []);
    using keys = await ApiKeysFile.open(path, { interval: 1_000_000, onWarning: (message) => warnings.push(message) });
    const names = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    let changing = true;
    const changes = Promise.all(
      names.map((name) => changeKeysFile(path, (before = []) => [...before, { name, sha256: hashSecret(name) }])),
    ).finally(() => changing = false);
    while (changing) await keys.reload();
    await changes;
    await keys.reload();
    assertEquals(keys.keys.map(({ name }) => name).sort(), names.sort());
    assertEquals(warnings, []);
    assertEquals(await entriesOf(folder), ["keys.json"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("cli.ts keys create adds to one file from several processes", async () => {
  await using place = await workplace();
  const names = ["a", "b", "c", "d"];
  const made = await Promise.all(
    names.map((name) => place.json(["keys", "create", "--name", name, "--file", "keys.json", "--json"])),
  );
  using keys = await ApiKeysFile.open(join(place.path, "keys.json"));
  assertEquals(made.map(({ key }) => keys.find(`Bearer ${key}`).name), names);
  assertEquals(await entriesOf(place.path), ["keys.json"]);
});

Deno.test({
  name: "changeKeysFile() keeps the mode of a file, and a link a link",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "keys-" });
    try {
      const path = join(folder, "keys.json");
      await Deno.writeTextFile(path, '{"keys":[]}');
      await Deno.chmod(path, 0o640);
      await Deno.symlink("keys.json", join(folder, "link.json"));
      await changeKeysFile(join(folder, "link.json"), () => [{ name: "ci", sha256: hashSecret("x") }]);
      assertEquals((await Deno.stat(path)).mode ?? 0, 0o100640);
      assert((await Deno.lstat(join(folder, "link.json"))).isSymlink);
      assertEquals(JSON.parse(await Deno.readTextFile(path)).keys.length, 1);
      assertEquals(await entriesOf(folder), ["keys.json", "link.json"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
