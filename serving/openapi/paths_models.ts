/** Models. */
import { DIRECTORY_ERRORS } from "./errors.ts";
import { ref } from "./json.ts";
import { idParameter, jsonAnswer, type Operation } from "./operation.ts";

/** Operations by path and method. */
export const modelPaths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/v1/models": {
    get: {
      id: "listModels",
      tag: "Models",
      summary: "Lists the models",
      description: "Those that can be asked for by `model`.",
      answers: { 200: jsonAnswer("The models.", ref("ModelList")) },
      errors: DIRECTORY_ERRORS,
      hasModel: true,
    },
  },
  "/v1/models/{id}": {
    get: {
      id: "retrieveModel",
      tag: "Models",
      summary: "Tells of one model",
      description: "Slashes in the id may stand as they are or as `%2F`. Without a tag, `:latest` is looked for too.",
      parameters: [idParameter("id", "Name of the model.")],
      answers: { 200: jsonAnswer("The model.", ref("Model")) },
      errors: ["model_not_found", ...DIRECTORY_ERRORS],
      hasModel: true,
    },
    delete: {
      id: "deleteModel",
      tag: "Models",
      summary: "Refused: models belong to who runs the server",
      description: "OpenAI deletes models that were made by whoever asks.",
      parameters: [idParameter("id", "Name of the model.")],
      answers: {},
      errors: ["model_not_deletable", "model_not_found", ...DIRECTORY_ERRORS],
      hasModel: true,
    },
  },
};
