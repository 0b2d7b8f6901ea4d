/** Named schemas of all else that the server says. */
import * as v from "valibot";
import { errorResponse } from "../../types/_error_schema.ts";
import { modelList } from "../../types/_model_list_schema.ts";
import { chatCompletionResponse } from "../../types/_response_schema.ts";
import { freeForm, text } from "../../types/_schema.ts";
import { chatRequests } from "./schemas_chat.ts";
import { entryOf, optionOf } from "./named.ts";

const list = optionOf(modelList, {});

/** What `/invocations` makes of an error's status and code. */
const MLFLOW_CODES = [
  "BAD_REQUEST",
  "INTERNAL_ERROR",
  "INVALID_PARAMETER_VALUE",
  "REQUEST_LIMIT_EXCEEDED",
  "RESOURCE_DOES_NOT_EXIST",
  "TEMPORARILY_UNAVAILABLE",
];

/** MLflow's route keeps no answers, so that labels have no limits there. */
const chat = v.object({ ...chatRequests.ChatCompletionRequest.entries, metadata: v.exactOptional(freeForm) });

const model = v.exactOptional(text);
const params = v.exactOptional(freeForm);

/** Bodies of `/invocations`: what is right in them beyond this, the model that is asked says. */
export const invocationRequests = {
  InvocationChatRequest: chat,
  InvocationRequest: v.union([
    chat,
    v.looseObject({ model, inputs: v.unknown(), params }),
    v.looseObject({
      model,
      dataframe_split: v.looseObject({ columns: v.array(v.string()), data: v.array(v.array(v.unknown())) }),
      params,
    }),
    v.looseObject({ model, dataframe_records: v.array(freeForm), params }),
    v.looseObject({ model, instances: v.unknown(), params }),
    v.looseObject({ model, prompt: v.unknown() }),
    v.looseObject({ model, input: v.unknown() }),
  ]),
};

/** Answers of no one API. */
export const serverAnswers = {
  ErrorResponse: errorResponse,
  ErrorObject: optionOf(entryOf(optionOf(errorResponse, {}), "error"), {}),
  ModelList: modelList,
  Model: optionOf(entryOf(list, "data"), {}),
  MlflowError: v.looseObject({ error_code: v.picklist(MLFLOW_CODES), message: v.string() }),
  InvocationResponse: v.union([chatCompletionResponse, v.looseObject({ predictions: v.unknown() }), v.unknown()]),
};
