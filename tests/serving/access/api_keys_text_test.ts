import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ApiKeys, apiKeysFromJson, apiKeysFromText, hashSecret, toEntry } from "../../../serving/access/mod.ts";
import { ValidationError } from "../../../types/mod.ts";
import { apiKey, issuesOf, OTHER_SECRET, SECRET } from "./_keys.ts";

const HASH = hashSecret(SECRET);
const OTHER_HASH = hashSecret(OTHER_SECRET);

function ofFile(value: unknown): (readonly [path: string, message: string])[] {
  return issuesOf(() => apiKeysFromJson(JSON.stringify(value)));
}

Deno.test("apiKeysFromJson() reads all that a key can have", () => {
  const entry = {
    name: "ci",
    sha256: HASH,
    models: ["demo", "llama*"],
    requests_per_minute: 60,
    tokens_per_minute: 100_000,
    max_concurrency: 4,
  };
  const keys = apiKeysFromJson(JSON.stringify({ keys: [entry, { name: "b@example.com", sha256: OTHER_HASH }] }));
  assertEquals(keys, [
    {
      name: "ci",
      sha256: HASH,
      models: ["demo", "llama*"],
      requestsPerMinute: 60,
      tokensPerMinute: 100_000,
      maxConcurrency: 4,
    },
    { name: "b@example.com", sha256: OTHER_HASH },
  ]);
  assertEquals(keys.map(toEntry), [entry, { name: "b@example.com", sha256: OTHER_HASH }]);
});

Deno.test("apiKeysFromJson() reads a file without keys, and one that begins with a byte order mark", () => {
  assertEquals(apiKeysFromJson('{"keys":[]}'), []);
  assertEquals(apiKeysFromJson('\ufeff{"keys":[]}\r\n'), []);
});

const NAME = 'Expected a name of 1 to 64 letters, digits, "_", ".", "@" or "-", the first a letter or digit';
const KNOWN = 'known are "name", "sha256", "models", "requests_per_minute", "tokens_per_minute", "max_concurrency"';
const SHA256 = "Expected a SHA-256 of 64 hexadecimal digits in lower case";
const MODEL = 'Expected the name of a model, with "*" at its end only';

for (
  const [what, value, issues] of [
    ["null", null, [["", "Expected an object, found null"]]],
    ["a list", [apiKey()], [["", "Expected an object, found an array"]]],
    ["an empty object", {}, [["keys", "Expected an array of keys, found nothing"]]],
    ["keys by name", { keys: { [SECRET]: "ci" } }, [["keys", "Expected an array of keys, found an object"]]],
    ["a text for a key", { keys: [SECRET] }, [["keys.0", "Expected an object, found a string"]]],
    [
      "a key without all",
      { keys: [{}] },
      [["keys.0.name", `${NAME}, found nothing`], ["keys.0.sha256", `${SHA256}, found nothing`]],
    ],
    [
      "many faults at once",
      {
        keys: [
          {
            name: "a b",
            sha256: SECRET,
            models: [],
            requests_per_minute: 0,
            tokens_per_minute: 1.5,
            max_concurrency: "4",
          },
          { name: "", sha256: HASH.toUpperCase(), models: ["a*b", "", 3, "a\nb", "**"] },
        ],
      },
      [
        ["keys.0.name", `${NAME}, found a string`],
        ["keys.0.sha256", `${SHA256}, found a string`],
        ["keys.0.models", "Expected an array of at least one name of a model, found an empty array"],
        ["keys.0.requests_per_minute", "Expected an integer of at least 1, found 0"],
        ["keys.0.tokens_per_minute", "Expected an integer of at least 1, found 1.5"],
        ["keys.0.max_concurrency", "Expected an integer of at least 1, found a string"],
        ["keys.1.name", `${NAME}, found an empty string`],
        ["keys.1.sha256", `${SHA256}, found a string`],
        ["keys.1.models.0", `${MODEL}, found a string`],
        ["keys.1.models.1", `${MODEL}, found an empty string`],
        ["keys.1.models.2", `${MODEL}, found 3`],
        ["keys.1.models.3", `${MODEL}, found a string`],
        ["keys.1.models.4", `${MODEL}, found a string`],
      ],
    ],
    [
      "null where absent is meant, as without limits is not said by chance",
      { keys: [{ name: "a", sha256: HASH, models: null, requests_per_minute: null }] },
      [
        ["keys.0.models", "Expected an array of at least one name of a model, found null"],
        ["keys.0.requests_per_minute", "Expected an integer of at least 1, found null"],
      ],
    ],
    [
      "two keys of one name or one hash",
      { keys: [{ name: "a", sha256: HASH }, { name: "b", sha256: OTHER_HASH }, { name: "a", sha256: HASH }] },
      [
        ["keys.2.name", 'The same as "keys.0.name": each must be unique'],
        ["keys.2.sha256", 'The same as "keys.0.sha256": each must be unique'],
      ],
    ],
    [
      "the key itself",
      { keys: [{ name: "a", sha256: HASH, key: SECRET }] },
      [[
        "keys.0.key",
        "The key itself must not stand here, only its SHA-256: " +
        "'cli.ts keys create --name NAME --file FILE' makes a key and writes its hash",
      ]],
    ],
    [
      "members that are not known, near and far",
      { keys: [{ name: "a", sha256: HASH, requestsPerMinute: 3, model: ["demo"], expires: 1 }], version: 1 },
      [
        ["version", 'Not known: known are "keys"'],
        ["keys.0.requestsPerMinute", 'Not known: did you mean "requests_per_minute"?'],
        ["keys.0.model", 'Not known: did you mean "models"?'],
        [
          "keys.0.expires",
          `Not known: ${KNOWN}`,
        ],
      ],
    ],
    [
      "a key of the shortest in the place of a member, and a member of a megabyte",
      { keys: [{ name: "a", sha256: HASH, hunter2hunter2_7: 1, ["m".repeat(1 << 20)]: 1 }] },
      [
        ["keys.0", `There is a member that is not known, its name 16 characters long: ${KNOWN}`],
        ["keys.0", `There is a member that is not known, its name 1048576 characters long: ${KNOWN}`],
      ],
    ],
    [
      "a key in the place of a member",
      { keys: [{ name: "a", sha256: HASH, [SECRET]: 1 }] },
      [["keys.0", `There is a member that is not known, its name 51 characters long: ${KNOWN}`]],
    ],
  ] as const
) {
  Deno.test(`apiKeysFromJson() refuses ${what}`, () => {
    assertEquals<unknown>(ofFile(value), issues);
  });
}

for (const member of ["__proto__", "constructor", "prototype", "toString"]) {
  Deno.test(`apiKeysFromJson() refuses a member "${member}" as any other that is not known`, () => {
    const entry = `{"name": "a", "sha256": "${HASH}", "${member}": {"models": ["demo"]}}`;
    const [[path, message] = [], ...rest] = issuesOf(() => apiKeysFromJson(`{"keys": [${entry}]}`));
    assertEquals([path, rest], [`keys.0.${member}`, []]);
    assertStringIncludes(message ?? "", "Not known");
  });
}

for (const text of [`{"keys": [${SECRET}]}`, `{"keys": ["${SECRET}`, `{"keys": [], ${SECRET}}`, SECRET, ""]) {
  Deno.test(`apiKeysFromJson() shows nothing of ${JSON.stringify(text)}, which is no JSON`, () => {
    const error = assertThrows(() => apiKeysFromJson(text, { source: "the file" }), ValidationError);
    assertStringIncludes(error.message, "Cannot read the file: It is not valid JSON");
    assert(!Deno.inspect(error).includes(SECRET.slice(0, 8)), Deno.inspect(error));
  });
}

Deno.test("apiKeysFromJson() says where JSON is wrong if it is known", () => {
  assertEquals(issuesOf(() => apiKeysFromJson('{\n  "keys": [],\n}')), [[
    "",
    "It is not valid JSON at line 3 column 1",
  ]]);
});

Deno.test("apiKeysFromText() reads JSON, with space before it", () => {
  assertEquals(apiKeysFromText(` \n{"keys": [{"name": "ci", "sha256": "${HASH}"}]}`), [{ name: "ci", sha256: HASH }]);
});

for (
  const text of [
    `ci=${SECRET},b=${OTHER_SECRET}`,
    `ci=${SECRET}\nb=${OTHER_SECRET}\n`,
    ` ci = ${SECRET} ,\r\n\r\n b =${OTHER_SECRET},, `,
  ]
) {
  Deno.test(`apiKeysFromText() reads pairs: ${JSON.stringify(text)}`, () => {
    const keys = apiKeysFromText(text);
    assertEquals(keys, [{ name: "ci", sha256: HASH }, { name: "b", sha256: OTHER_HASH }]);
    assertEquals(new ApiKeys(keys).find(`Bearer ${OTHER_SECRET}`).name, "b");
  });
}

Deno.test("apiKeysFromText() takes what follows the first = for the secret", () => {
  const secret = "c2VjcmV0IHNlY3JldA==";
  assertEquals(apiKeysFromText(`ci=${secret}`), [{ name: "ci", sha256: hashSecret(secret) }]);
});

for (
  const [what, text, messages] of [
    ["an empty text", "", ["It is empty: write NAME=SECRET pairs, or JSON"]],
    ["commas alone", " ,\n,", ["It is empty: write NAME=SECRET pairs, or JSON"]],
    ["a secret alone", SECRET, ['Pair 1: Expected NAME=SECRET, found no "="']],
    ["a secret without name", `=${SECRET}`, [`Pair 1: ${NAME}`]],
    ["a short secret", "ci=123456789012345", ["Pair 1: Expected a secret of 16 to 1024 characters, found 15"]],
    ["a long secret", `ci=${"s".repeat(1025)}`, ["Pair 1: Expected a secret of 16 to 1024 characters, found 1025"]],
    ["a secret with a space", "ci=one two three four", [
      "Pair 1: Expected a secret of visible ASCII characters without spaces",
    ]],
    ["a secret that no header can carry", "ci=schl\u00fcssel-schl\u00fcssel", [
      "Pair 1: Expected a secret of visible ASCII characters without spaces",
    ]],
    ["two alike, and all else that is wrong", `ci=${SECRET},ci=${SECRET},b c=x,d`, [
      "Pair 2: Expected a name of its own, found that of pair 1",
      "Pair 2: Expected a secret of its own, found that of pair 1",
      `Pair 3: ${NAME}`,
      "Pair 3: Expected a secret of 16 to 1024 characters, found 1",
      'Pair 4: Expected NAME=SECRET, found no "="',
    ]],
    ["the padding of a secret for the separator", "c2VjcmV0IHNlY3JldHM=", [
      "Pair 1: Expected a secret of 16 to 1024 characters, found 0",
    ]],
  ] as const
) {
  Deno.test(`apiKeysFromText() refuses ${what}, and shows no part of it`, () => {
    const error = assertThrows(() => apiKeysFromText(text), ValidationError);
    assertEquals<unknown>(error.issues.map(({ message }) => message), messages);
    assertStringIncludes(error.message, "Cannot read CHATMODEL_API_KEYS: ");
    for (const pair of text.split(",")) {
      const secret = pair.slice(pair.indexOf("=") + 1).trim();
      if (secret.length > 4) assert(!Deno.inspect(error).includes(secret), Deno.inspect(error));
    }
    assert(!Deno.inspect(error).includes("c2Vj"));
  });
}

Deno.test("apiKeysFromText() takes secrets of 16 and of 1024 characters", () => {
  for (const length of [16, 1024]) {
    const secret = "s".repeat(length);
    assertEquals(new ApiKeys(apiKeysFromText(`ci=${secret}`)).find(`Bearer ${secret}`).name, "ci");
  }
});
