/** Named schemas of all else that the server says. */
import * as v from "valibot";
import { errorResponse } from "../../types/_error_schema.ts";
import { modelList } from "../../types/_model_list_schema.ts";
import { entryOf, optionOf } from "./named.ts";

const list = optionOf(modelList, {});

/** Answers of no one API. */
export const serverAnswers = {
  ErrorResponse: errorResponse,
  ErrorObject: optionOf(entryOf(optionOf(errorResponse, {}), "error"), {}),
  ModelList: modelList,
  Model: optionOf(entryOf(list, "data"), {}),
  MlflowError: v.looseObject({ error_code: v.string(), message: v.string() }),
};
