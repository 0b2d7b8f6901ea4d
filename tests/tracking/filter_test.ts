import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fastCheck from "fast-check";
import {
  type FilterGrammar,
  NUMBER_COMPARATORS,
  parseFilter,
  parseOrderBy,
  TEXT_COMPARATORS,
} from "../../tracking/filter.ts";
import { TrackingError } from "../../tracking/errors.ts";

const GRAMMAR: FilterGrammar<"attribute" | "metric" | "tag"> = {
  attribute: {
    names: ["attributes"],
    keys: {
      fields: {
        name: { type: "text", comparators: [...TEXT_COMPARATORS, "IN", "NOT IN"] },
        title: { type: "text", comparators: TEXT_COMPARATORS, aliasOf: "name" },
        time: { type: "number", comparators: NUMBER_COMPARATORS },
      },
    },
  },
  metric: { names: ["metrics"], keys: { any: { type: "number", comparators: NUMBER_COMPARATORS } } },
  tag: {
    names: ["tags"],
    keys: { any: { type: "text", comparators: [...TEXT_COMPARATORS, "IS NULL", "IS NOT NULL"] } },
  },
};

Deno.test("parseFilter() reads comparisons", () => {
  assertEquals(parseFilter(undefined, GRAMMAR), []);
  assertEquals(parseFilter("  ", GRAMMAR), []);
  assertEquals(
    parseFilter(
      "name not  in ('a', \"b\",)\nand attributes.title LIKE 'x AND y' AND metrics.a.b>=-1.5e1 And tag.`t 1` is\tnot null",
      GRAMMAR,
    ),
    [
      { entity: "attribute", key: "name", comparator: "NOT IN", value: ["a", "b"] },
      { entity: "attribute", key: "name", comparator: "LIKE", value: "x AND y" },
      { entity: "metric", key: "a.b", comparator: ">=", value: -15 },
      { entity: "tag", key: "t 1", comparator: "IS NOT NULL", value: undefined },
    ],
  );
});

Deno.test("parseFilter() reads keys that go on behind a beginning, and values that may be numbers or text", () => {
  const grammar: FilterGrammar<"span" | "feedback"> = {
    span: {
      names: [],
      keys: {
        fields: { name: { type: "text", comparators: ["=", "RLIKE"] } },
        prefixes: { "attributes.": { type: "text", comparators: ["="] } },
      },
    },
    feedback: { names: [], keys: { any: { type: "mixed", comparators: ["=", ">"] } } },
  };
  assertEquals(
    parseFilter(
      "span.attributes.a.b = 'x' AND span.name rlike '^a' AND feedback.f > 0.5 AND feedback.f = 'yes'",
      grammar,
    ),
    [
      { entity: "span", key: "attributes.a.b", comparator: "=", value: "x" },
      { entity: "span", key: "name", comparator: "RLIKE", value: "^a" },
      { entity: "feedback", key: "f", comparator: ">", value: 0.5 },
      { entity: "feedback", key: "f", comparator: "=", value: "yes" },
    ],
  );
  for (const filter of ["span.attributes = 'x'", "span.attributes. = 'x'", "feedback.f > 'x'", "feedback.f = 1"]) {
    assertThrows(() => parseFilter(filter, grammar), TrackingError);
  }
  const error = assertThrows(() => parseFilter("span.size = 'x'", grammar), TrackingError);
  assertEquals(error.message.includes("there are name, attributes.<key>"), true, error.message);
});

Deno.test("parseFilter() takes every key and every text that its quotes can hold", () => {
  const key = fastCheck.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("`"));
  const value = fastCheck.string({ unit: "grapheme" }).filter((text) => !/["']/.test(text) && !text.endsWith("\\"));
  fastCheck.assert(fastCheck.property(key, value, (key, value) => {
    const expected = [{ entity: "tag" as const, key, comparator: "=" as const, value }];
    assertEquals(parseFilter(`tags.\`${key}\` = '${value}'`, GRAMMAR), expected);
    assertEquals(parseFilter(`tag.\`${key}\`="${value}"`, GRAMMAR), expected);
  }));
});

Deno.test("parseFilter() and parseOrderBy() throw nothing but TrackingErrors, whatever they are given", () => {
  const part = fastCheck.constantFrom(
    "name",
    "tags.",
    "metrics.a",
    "`",
    "'",
    '"',
    "=",
    ">",
    "IN",
    "(",
    ")",
    ",",
    "AND",
    "1",
    "\\",
    " ",
  );
  const text = fastCheck.oneof(
    fastCheck.string(),
    fastCheck.array(part, { maxLength: 12 }).map((parts) => parts.join("")),
  );
  fastCheck.assert(
    fastCheck.property(text, (text) => {
      for (const parse of [parseFilter, parseOrderBy]) {
        try {
          parse(text, GRAMMAR);
        } catch (error) {
          assertInstanceOf(error, TrackingError);
          assertEquals(error.errorCode, "INVALID_PARAMETER_VALUE");
        }
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("parseFilter() tells where a filter is wrong", () => {
  const messageOf = (filter: string) => assertThrows(() => parseFilter(filter, GRAMMAR), TrackingError).message;
  assertEquals(
    messageOf("name = 'a' OR name = 'b'"),
    `Cannot read filter "name = 'a' OR name = 'b'": at "OR name = 'b'", conditions can only be joined by AND`,
  );
  assertEquals(
    messageOf("nome = 'a'"),
    `Cannot read filter "nome = 'a'": at "nome = 'a'", "nome" is no key of "attribute": there are name, time`,
  );
  assertEquals(
    messageOf("name = 'a' AND time LIKE 'b'"),
    `Cannot read filter "name = 'a' AND time LIKE 'b'": at "LIKE 'b'", "attribute" "time" can be compared by =, !=, <, <=, >, >= only`,
  );
});

Deno.test("parseOrderBy() reads a field and its direction", () => {
  assertEquals(parseOrderBy("name", GRAMMAR), { entity: "attribute", key: "name", ascending: true });
  assertEquals(parseOrderBy(" metrics.`a b` desc ", GRAMMAR), { entity: "metric", key: "a b", ascending: false });
  assertEquals(parseOrderBy("attributes.title ASC", GRAMMAR), { entity: "attribute", key: "name", ascending: true });
  for (const text of ["", "name up", "name DESC, time", "nome", "name DESCENDING"]) {
    assertThrows(() => parseOrderBy(text, GRAMMAR), TrackingError);
  }
});
