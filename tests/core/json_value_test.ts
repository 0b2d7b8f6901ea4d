import { assertThrows } from "@std/assert";
import { toJsonValue } from "../../_json_value.ts";

function refuse(path: string, problem: string): never {
  throw new TypeError(`"${path}" ${problem}`);
}

const INSTANCES: readonly (readonly [name: string, value: object, problem: string])[] = [
  ["a date", new Date(0), "is an instance of Date, which JSON has not"],
  ["a nameless class", new (class {})(), "is an instance of a class, which JSON has not"],
  ["no constructor", Object.create({ constructor: undefined }), "is an instance of a class, which JSON has not"],
  ["an odd constructor", Object.create({ constructor: { name: 5 } }), "is an instance of a class, which JSON has not"],
];

for (const [name, value, problem] of INSTANCES) {
  Deno.test(`toJsonValue() says what it refuses: an object of ${name}`, () => {
    assertThrows(() => toJsonValue({ a: [value] }, refuse), TypeError, `"a.0" ${problem}`);
  });
}
