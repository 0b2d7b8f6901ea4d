/** The vectors whose question cannot be posed in JavaScript, and why each cannot. */

const WHOLE = "2 and 2.0 are one value";
const KEY = "a key is a string";
const CLASS = "a plain object is all there is: no class tells a message from its members";

/** By the vectors' names. A vector that is not here counts against the quarter that may differ, whatever its reason. */
export const NOT_POSABLE: { readonly [name: string]: string } = {
  // A whole number where MLflow wants a float. To refuse it would refuse the float too, which MLflow takes.
  "params: temperature int": `1 for 1.0: ${WHOLE}`,
  "params: top_p=1": `1 for 1.0: ${WHOLE}`,
  "params: frequency_penalty=1": `1 for 1.0: ${WHOLE}`,
  "predict: temperature 2": `2 for 2.0: ${WHOLE}`,
  "predict: DataFrame w/ temperature int 2": `2 for 2.0: ${WHOLE}`,
  // A float where MLflow wants a whole number. To refuse it would refuse the whole number too, which MLflow takes.
  "params: max_tokens=5.0": `5.0 for 5: ${WHOLE}`,
  "params: n=1.0": `1.0 for 1: ${WHOLE}`,
  "params: top_k=3.0": `3.0 for 3: ${WHOLE}`,
  "predict: max_tokens=5.0": `5.0 for 5: ${WHOLE}`,
  "usage: float": `1.0 for 1: ${WHOLE}`,
  // To refuse them would refuse the string "1" too, which MLflow takes.
  "params: custom_inputs int key": `1 for "1": ${KEY}`,
  "save: model_config int keys": `1 for "1": ${KEY}`,
  // An instance among dictionaries, or in place of one; a dictionary in place of an instance.
  "msg: mixed tool_calls dict+ToolCall": CLASS,
  "request: mixed": CLASS,
  "predict: ChatMessage instance": CLASS,
  "predict: model return:dict": CLASS,
  // What MLflow finds by a parameter's name, or fails on by their number.
  "save: predict(ctx, messages, params)": "names of parameters are not known where a method is called",
  "save: predict(messages)": "arguments that a method does not name are no error",
};
