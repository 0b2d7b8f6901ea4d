/** Named schemas of the Responses API. */
import { items } from "../responses/_item_schema.ts";
import { responseRequest } from "../responses/_request_schema.ts";

/** What requests consist of. */
export const responseRequests = {
  ResponseRequest: responseRequest,
  ResponseInputItem: items.item,
};

/** What answers consist of. */
export const responseAnswers = {};
