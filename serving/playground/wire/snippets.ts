/** A request as code that makes it. */
import type { Json, JsonObject } from "../state/types.ts";

/** How a request can be written. */
export type Language = "curl" | "node" | "python";

/** What a snippet needs to know. */
export interface SnippetOptions {
  /** Where the API is, such as `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  /** Whether the server wants a key. It is read from the environment, never written into code. */
  readonly withKey: boolean;
}

/** Fields of OpenAI's request, which its Python client takes as arguments; it wants all others in `extra_body`. */
const OPENAI_FIELDS: ReadonlySet<string> = new Set(
  ("audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages " +
    "metadata modalities model n parallel_tool_calls prediction presence_penalty prompt_cache_key " +
    "prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream " +
    "stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options").split(" "),
);

/** Writes a request as code. */
export function toSnippet(language: Language, request: JsonObject, options: SnippetOptions): string {
  if (language === "curl") return toCurl(request, options);
  return language === "node" ? toNode(request, options) : toPython(request, options);
}

function toCurl(request: JsonObject, { baseUrl, withKey }: SnippetOptions): string {
  const body = JSON.stringify(request, null, 2).replaceAll("'", String.raw`'\''`);
  return [
    `curl ${request.stream === true ? "-N " : ""}'${baseUrl}/chat/completions'`,
    "  -H 'content-type: application/json'",
    ...(withKey ? ['  -H "authorization: Bearer $OPENAI_API_KEY"'] : []),
    `  -d '${body}'`,
  ].join(" \\\n") + "\n";
}

function toNode(request: JsonObject, { baseUrl, withKey }: SnippetOptions): string {
  const isStream = request.stream === true;
  const count = countAnswers(request);
  return `import OpenAI from "openai";

const client = new OpenAI({
  baseURL: ${JSON.stringify(baseUrl)},
  apiKey: ${withKey ? "process.env.OPENAI_API_KEY" : '"none"'},
});

const ${isStream ? "stream" : "response"} = await client.chat.completions.create(${JSON.stringify(request, null, 2)});
${
    isStream && count > 1
      ? `// The pieces of the answers come mixed.
const answers = new Array(${count}).fill("");
for await (const chunk of stream) {
  for (const { index, delta } of chunk.choices) answers[index] += delta.content ?? "";
}
console.log(answers);`
      : isStream
      ? `for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}`
      : count > 1
      ? "for (const { index, message } of response.choices) console.log(index, message);"
      : "console.log(response.choices[0].message);"
  }
`;
}

function toPython(request: JsonObject, { baseUrl, withKey }: SnippetOptions): string {
  const known: [string, Json][] = [];
  const extra: Record<string, Json> = {};
  for (const [name, value] of Object.entries(request)) {
    if (OPENAI_FIELDS.has(name)) known.push([name, value]);
    else extra[name] = value;
  }
  if (Object.keys(extra).length > 0) known.push(["extra_body", extra]);
  const lines = known.map(([name, value]) => `    ${name}=${pythonLiteral(value, "    ")},`);
  const isStream = request.stream === true;
  const count = countAnswers(request);
  return `${withKey ? "import os\n\n" : ""}from openai import OpenAI

client = OpenAI(
    base_url=${pythonLiteral(baseUrl, "")},
    api_key=${withKey ? 'os.environ["OPENAI_API_KEY"]' : '"none"'},
)

${isStream ? "stream" : "response"} = client.chat.completions.create(
${lines.join("\n")}
)
${
    isStream && count > 1
      ? `# The pieces of the answers come mixed.
answers = [""] * ${count}
for chunk in stream:
    for choice in chunk.choices:
        answers[choice.index] += choice.delta.content or ""
print(answers)`
      : isStream
      ? `for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)`
      : count > 1
      ? "for choice in response.choices:\n    print(choice.index, choice.message)"
      : "print(response.choices[0].message)"
  }
`;
}

/** How many answers a request asks for. */
function countAnswers({ n }: JsonObject): number {
  return typeof n === "number" && Number.isSafeInteger(n) ? n : 1;
}

/** JSON's strings and numbers are Python's, too; the three words are not. */
function pythonLiteral(value: Json, indent: string): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}    `;
  const isArray = Array.isArray(value);
  const items = isArray
    ? value.map((item: Json) => pythonLiteral(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pythonLiteral(item, inner)}`);
  const [open, close] = isArray ? "[]" : "{}";
  if (items.length === 0) return `${open}${close}`;
  return `${open}\n${items.map((item) => `${inner}${item},\n`).join("")}${indent}${close}`;
}
