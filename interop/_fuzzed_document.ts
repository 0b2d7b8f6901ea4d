/** The document as the fuzzer gets it: made stricter, so that it finds more. */

type Json = { [key: string]: unknown };

/** An object itself, so that it can be changed. */
function object(value: unknown): Json {
  if (!isObject(value)) throw new TypeError("Cannot change the document: expected an object");
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function change(document: unknown, path: readonly string[], edit: (value: Json) => void): void {
  let value = object(document);
  for (const key of path) value = object(value[key]);
  edit(value);
}

/** Requests that name a model. */
const MODEL_REQUESTS = [
  "ChatCompletionRequest",
  "InvocationChatRequest",
  "ResponseRequest",
  "CompletionRequest",
  "EmbeddingRequest",
];

/** Names only models that there are, as nearly all requests would else be for none. */
export function withModels(document: unknown, models: readonly string[]): unknown {
  const copy = structuredClone(document);
  for (const name of MODEL_REQUESTS) {
    change(copy, ["components", "schemas", name, "properties"], (properties) => {
      properties["model"] = { enum: [...models, null] };
    });
  }
  return copy;
}

/** Leaves out that a model's own errors may have any status: these models' have not, and the rest is to be declared. */
export function withoutModelErrors(document: unknown): unknown {
  const copy = structuredClone(document);
  for (const operations of Object.values(object(object(copy)["paths"]))) {
    for (const operation of Object.values(object(operations))) {
      change(operation, ["responses"], (responses) => delete responses["default"]);
    }
  }
  return copy;
}

/** Makes JSON Schemas in requests simple: the fuzzer cannot make wrong ones of a schema that holds itself. */
export function withSimpleSchemas(document: unknown): unknown {
  const copy = structuredClone(document);
  change(copy, ["components", "schemas"], (schemas) => {
    const { properties } = object(schemas["JsonSchema"]);
    const { type, description, required, minLength } = object(properties);
    schemas["JsonSchema"] = { type: "object", properties: { type, description, required, minLength } };
  });
  return copy;
}

/** Leaves out what may be refused for reasons that no JSON Schema can say, but the descriptions do. */
export function withoutWhatIsSaidInWords(document: unknown): unknown {
  const copy = structuredClone(document);
  const edit = (name: string, properties: Json) =>
    change(copy, ["components", "schemas", name, "properties"], (there) => Object.assign(there, properties));
  const free = { enum: ["none", "auto", null] };
  const absent = { type: "null" };
  // Names of tools must differ, choices name one of them; embeddings and chats are not for every model.
  edit("ChatCompletionRequest", { tool_choice: free, function_call: free, tools: absent, functions: absent });
  edit("ResponseRequest", {
    tool_choice: free,
    tools: absent,
    previous_response_id: absent,
    input: { type: "string" },
  });
  edit("EmbeddingRequest", { dimensions: absent });
  edit("CompletionRequest", { best_of: absent, echo: absent });
  change(copy, ["components", "schemas", "ResponseRequest"], (schema) => schema["required"] = ["input"]);
  change(copy, ["paths"], (paths) => {
    delete paths["/invocations"];
    delete paths["/v1/responses/{id}/cancel"];
    for (const operations of Object.values(paths)) {
      for (const operation of Object.values(object(operations))) {
        const { parameters } = object(operation);
        // An id that is not in the list.
        if (Array.isArray(parameters)) {
          object(operation)["parameters"] = parameters.filter(({ name }) => name !== "after");
        }
      }
    }
  });
  return copy;
}
