import * as v from "valibot";
import { object, objectSchema } from "./_json_value.ts";
import type {
  OllamaEmbedResponse,
  OllamaModel,
  OllamaModelInfo,
  OllamaPullProgress,
  OllamaRunningModel,
} from "./api_types.ts";

const text = v.exactOptional(v.string());
const count = v.exactOptional(v.number());
const texts = v.exactOptional(v.array(v.string()));

const details = v.exactOptional(object({
  parent_model: text,
  format: text,
  family: text,
  families: texts,
  parameter_size: text,
  quantization_level: text,
  context_length: count,
  embedding_length: count,
}));

/** Answer of `GET /api/version`. */
export const versionSchema: v.GenericSchema<unknown, { version: string }> = object({ version: v.string() });

/** Answer of `GET /api/tags`. */
export const tagsSchema: v.GenericSchema<unknown, { models?: OllamaModel[] }> = object({
  models: v.exactOptional(v.array(object({
    name: v.string(),
    model: text,
    modified_at: text,
    size: count,
    digest: text,
    details,
    remote_model: text,
    remote_host: text,
    capabilities: texts,
  }))),
});

/** Answer of `GET /api/ps`. */
export const psSchema: v.GenericSchema<unknown, { models?: OllamaRunningModel[] }> = object({
  models: v.exactOptional(v.array(object({
    name: v.string(),
    model: text,
    size: count,
    size_vram: count,
    digest: text,
    details,
    expires_at: text,
    context_length: count,
  }))),
});

/** Answer of `POST /api/show`. */
export const showSchema: v.GenericSchema<unknown, OllamaModelInfo> = object({
  capabilities: texts,
  details,
  model_info: v.exactOptional(objectSchema),
  projector_info: v.exactOptional(objectSchema),
  parameters: text,
  template: text,
  system: text,
  renderer: text,
  parser: text,
  license: text,
  modelfile: text,
  messages: v.exactOptional(v.array(object({ role: v.string(), content: v.string() }))),
  modified_at: text,
  requires: text,
});

/** A line of `POST /api/pull`. */
export const pullProgressSchema: v.GenericSchema<unknown, OllamaPullProgress> = object({
  status: v.string(),
  digest: text,
  total: count,
  completed: count,
});

/** Answer of `POST /api/embed`. */
export const embedSchema: v.GenericSchema<unknown, OllamaEmbedResponse> = object({
  model: text,
  embeddings: v.array(v.array(v.number())),
  total_duration: count,
  load_duration: count,
  prompt_eval_count: count,
});
