/** What our error says where MLflow's says nothing of the field at fault. */

/**
 * By the vectors' names: the field that our error must blame, as the vector is about it, or, where no field is at fault,
 * what our message says.
 */
export const REFUSALS: { readonly [name: string]: string | RegExp } = {
  // MLflow says "Expected data to be list", "Missing required properties" and the like, and prints the whole schema.
  "predict: messages null": "messages",
  "predict: messages dict": "messages",
  "predict: message missing role": "role",
  "predict: message role null": "role",
  "predict: content int": "content",
  "predict: tool_call without id/type": "tool_calls",
  "predict: stop=[1]": "stop",
  "predict: custom_inputs='x'": "custom_inputs",
  "predict: custom_inputs=[1]": "custom_inputs",
  "predict: tools=[{'function': {'name': 'f'}}]": "type",
  "predict: list of messages": "messages",
  "save: example dict w/o messages": "messages",
  "save: signature given": "signature",
  "save: unknown kwarg": "zzz",

  // What is no object has no field.
  "msg.from_dict: not a dict": /^Cannot parse chat message: Expected an object, found a string$/,
  "predict: str": /^Cannot parse chat request: Expected an object, found a string$/,
  "predict: None": /^Cannot parse chat request: Expected an object, found null$/,
  "predict: int": /^Cannot parse chat request: Expected an object, found 5$/,
  "save: example str": /^Cannot parse chat request: Expected an object, found a string$/,

  // Not one request. MLflow fails on its way to the first.
  "predict: DataFrame 0 rows": /"dataframe_records": must hold one request, but holds 0\b/,
  "stream: DataFrame 2 rows": /"dataframe_records": must hold one request, but holds 2\b/,
  "stream: list of 2": /^Cannot parse chat request: Expected an object, found an array$/,

  // What the model returned, or threw: its own error, untouched.
  "predict: model return:none": /^Cannot read the model's output: .* but is null$/,
  "predict: model return:list": /^Cannot read the model's output: .* but returned an iterable\b/,
  "predict: model raise:ValueError": /^boom$/,
  "predict: model raise:Mlflow": /^bad param from model$/,
  "predict: model raise:KeyError": /^'k'$/,
  "stream: model raise:first": /^before first chunk$/,
  "stream: model raise:mid": /^mid stream$/,
  "save: predict raises": /^boom$/,
  "save: load_context raises": /^lc$/,

  // Examples that are no plain object. Python fails on its own operators.
  "save: example ChatCompletionRequest": /^Cannot take the input example: it is an instance of ChatRequest\b/,
  "save: example DataFrame": "messages",

  // Files and values that are no model, or none that can be saved.
  "save: class not instance": /^Cannot save model: a model is saved as code\b/,
  "save: no predict": /^Cannot use model "Vec": it implements neither predict nor predictStream\b/,
  "save: syntax error": /model\.ts" cannot be loaded: SyntaxError: /,
  "save: import error": /imports "\.\/not_a_module_xyz\.ts": Module not found /,
  "save: path missing": /^Cannot package model "nope_model\.ts": there is no such file\b/,
  "save: set_model str": /Cannot set model: it must be an instance or a class of /,

  // Configuration.
  "save: model_config non-JSON": /from modelConfig: "a" is a symbol, which JSON has not$/,
  "save: model_config missing file": /from file "nope\.yaml": there is no such file$/,
  "save: model_config list": /from modelConfig: it must be an object$/,

  // What is loaded. The first is what the test says when no member of a loaded model leads to the author's object.
  unwrap_python_model: /^Cannot unwrap model: the author's object is not handed out$/,
  "load: no dir": /^Cannot load model ".*": there is no such file or folder\b/,
};
