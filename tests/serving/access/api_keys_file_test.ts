import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { ApiKeysFile, hashSecret } from "../../../serving/access/mod.ts";
import { ChatModelError, ValidationError } from "../../../types/mod.ts";
import { ROOT } from "../../support/command.ts";
import { OTHER_SECRET, refusedKey, SECRET } from "./_keys.ts";

/** Longer than any test runs: only `reload()` looks. */
const NEVER = 1_000_000;

const ONE = fileOf({ ci: SECRET });
const TWO = fileOf({ ci: SECRET, other: OTHER_SECRET });

function fileOf(secrets: Readonly<Record<string, string>>): string {
  const keys = Object.entries(secrets).map(([name, secret]) => ({ name, sha256: hashSecret(secret) }));
  return JSON.stringify({ keys });
}

interface Followed extends AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  readonly keys: ApiKeysFile;
  readonly warnings: string[];
}

async function follow(text: string, interval = NEVER): Promise<Followed> {
  const folder = await Deno.makeTempDir({ prefix: "keys-" });
  const path = join(folder, "keys.json");
  await Deno.writeTextFile(path, text);
  const warnings: string[] = [];
  const keys = await ApiKeysFile.open(path, { interval, onWarning: (message) => warnings.push(message) });
  return {
    folder,
    path,
    keys,
    warnings,
    async [Symbol.asyncDispose]() {
      keys.close();
      await keys.reload();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function names({ keys }: Followed): string[] {
  return keys.keys.map(({ name }) => name);
}

Deno.test("ApiKeysFile.open() reads the keys of a file", async () => {
  await using file = await follow(ONE);
  assertEquals(names(file), ["ci"]);
  assertEquals(file.keys.find(`Bearer ${SECRET}`).name, "ci");
  refusedKey(() => file.keys.find(`Bearer ${OTHER_SECRET}`));
});

Deno.test("ApiKeysFile.reload() takes what was written into the file, be it as long as before", async () => {
  await using file = await follow(ONE);
  await Deno.writeTextFile(file.path, fileOf({ cd: OTHER_SECRET }));
  await file.keys.reload();
  assertEquals(file.keys.find(`Bearer ${OTHER_SECRET}`).name, "cd");
  refusedKey(() => file.keys.find(`Bearer ${SECRET}`));
  assertEquals(file.warnings, []);
});

Deno.test("ApiKeysFile.reload() takes a file that came by renaming", async () => {
  await using file = await follow(ONE);
  for (const [text, expected] of [[TWO, ["ci", "other"]], [ONE, ["ci"]]] as const) {
    const temporary = join(file.folder, "temporary");
    await Deno.writeTextFile(temporary, text);
    await Deno.rename(temporary, file.path);
    await file.keys.reload();
    assertEquals<unknown>(names(file), expected);
  }
});

Deno.test({
  name: "ApiKeysFile.reload() follows a link that is turned to another folder",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using file = await follow(ONE);
    for (const [version, text] of [["1", ONE], ["2", TWO]] as const) {
      await Deno.mkdir(join(file.folder, version));
      await Deno.writeTextFile(join(file.folder, version, "keys.json"), text);
    }
    await Deno.symlink("1", join(file.folder, "data"));
    const warnings: string[] = [];
    using keys = await ApiKeysFile.open(join(file.folder, "data", "keys.json"), {
      interval: NEVER,
      onWarning: (message) => warnings.push(message),
    });
    await Deno.symlink("2", join(file.folder, "next"));
    await Deno.rename(join(file.folder, "next"), join(file.folder, "data"));
    await keys.reload();
    assertEquals(keys.keys.map(({ name }) => name), ["ci", "other"]);
    assertEquals(warnings, []);
  },
});

Deno.test("ApiKeysFile looks by itself", async () => {
  await using file = await follow(ONE, 5);
  await Deno.writeTextFile(file.path, TWO);
  while (names(file).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(file.keys.find(`Bearer ${OTHER_SECRET}`).name, "other");
});

for (
  const [what, spoil, said] of [
    ["holds no JSON", (path: string) => Deno.writeTextFile(path, `{"keys": [${SECRET}`), "It is not valid JSON"],
    [
      "holds the key itself",
      (path: string) => Deno.writeTextFile(path, `{"keys":[{"name":"x","key":"${SECRET}"}]}`),
      '"keys.0.key": The key itself must not stand here',
    ],
    ["is gone", (path: string) => Deno.remove(path), "there is no such file"],
    ["is a folder now", async (path: string) => {
      await Deno.remove(path);
      await Deno.mkdir(path);
    }, "Cannot read API keys from"],
  ] as const
) {
  Deno.test(`ApiKeysFile.reload() keeps the keys, and says so once, when the file ${what}`, async () => {
    await using file = await follow(ONE);
    await spoil(file.path);
    for (let i = 0; i < 3; i++) await file.keys.reload();
    assertEquals(file.keys.find(`Bearer ${SECRET}`).name, "ci");
    const [warning = "", ...others] = file.warnings;
    assertEquals(others, []);
    assertStringIncludes(warning, `API keys from "${file.path}"`);
    assertStringIncludes(warning, said);
    assert(warning.endsWith("The API keys from before stay in force"), warning);
    assert(!warning.includes(SECRET.slice(0, 8)), warning);
  });
}

Deno.test("ApiKeysFile.reload() warns anew of another failure, and of one after the file was good", async () => {
  await using file = await follow(ONE);
  for (const text of ["{", "{", "{}", "{}", ONE, "{", TWO, TWO]) {
    await Deno.writeTextFile(file.path, text);
    await file.keys.reload();
  }
  assertEquals(file.warnings.map((warning) => /not valid JSON|array of keys/.exec(warning)?.[0]), [
    "not valid JSON",
    "array of keys",
    "not valid JSON",
  ]);
  assertEquals(names(file), ["ci", "other"]);
});

Deno.test("ApiKeysFile.close() ends the looking, and keeps the keys", async () => {
  await using file = await follow(ONE, 1);
  file.keys.close();
  await Deno.writeTextFile(file.path, TWO);
  await file.keys.reload();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(names(file), ["ci"]);
  assertEquals(file.keys.find(`Bearer ${SECRET}`).name, "ci");
  file.keys.close();
});

Deno.test("ApiKeysFile.open() refuses what is no file of keys", async () => {
  const folder = await Deno.makeTempDir({ prefix: "keys-" });
  try {
    const path = join(folder, "keys.json");
    const missing = await assertRejects(() => ApiKeysFile.open(path), ValidationError, "there is no such file");
    assertStringIncludes(missing.message, "'cli.ts keys create --name NAME --file FILE' makes one");
    await assertRejects(() => ApiKeysFile.open(folder), ValidationError, `Cannot read API keys from "${folder}"`);
    await Deno.writeTextFile(path, `ci=${SECRET}`);
    const error = await assertRejects(() => ApiKeysFile.open(path), ValidationError, "It is not valid JSON");
    assert(!Deno.inspect(error).includes(SECRET), error.message);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const interval of [0, -1, 1.5, NaN, 2 ** 31]) {
  Deno.test(`ApiKeysFile.open() refuses an interval of ${interval}`, async () => {
    await assertRejects(() => ApiKeysFile.open("keys.json", { interval }), ChatModelError, '"interval" must be');
  });
}

Deno.test({
  name: "ApiKeysFile.open() names the permission that is missing",
  permissions: { read: false },
  async fn() {
    const error = await assertRejects(() => ApiKeysFile.open("keys.json"), ChatModelError, "--allow-read=keys.json");
    assertEquals(error.code, "permission_denied");
    assertThrows(() => Deno.readTextFileSync("keys.json"), Deno.errors.NotCapable);
  },
});

Deno.test("ApiKeysFile does not keep a process running", async () => {
  await using file = await follow(ONE);
  const module = JSON.stringify(import.meta.resolve("../../../serving/access/mod.ts"));
  const source = `import { ApiKeysFile } from ${module};
    await ApiKeysFile.open(${JSON.stringify(file.path)}, { interval: 2_000_000 });
    console.log("opened");`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--allow-read=${file.path}`,
      "--ext=ts",
      "--config",
      join(ROOT, "deno.json"),
      await written(file, source),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals([code, new TextDecoder().decode(stdout)], [0, "opened\n"], new TextDecoder().decode(stderr));
});

async function written({ folder }: Followed, source: string): Promise<string> {
  const path = join(folder, "open.ts");
  await Deno.writeTextFile(path, source);
  return path;
}
