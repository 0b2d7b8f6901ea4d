/** What a difference is. */
export interface ReasonText {
  /**
   * `purpose`: decided; `language`: JavaScript has no such thing to tell apart, so that the question cannot be posed
   * (`language_test.ts` lists each with why); `open`: known, not decided yet.
   */
  readonly kind: "purpose" | "language" | "open";
  /** Why, for the table. */
  readonly text: string;
}

/** Why we differ from MLflow. */
export const REASONS = {
  unset: {
    kind: "purpose",
    text:
      "Unset stays unset. MLflow sets temperature 1.0, n 1 and stream false, so that no model can tell what the caller said",
  },
  nulls: {
    kind: "purpose",
    text:
      "An optional field that is null counts as absent, everywhere. MLflow refuses it here, and there lets NaN reach the model",
  },
  ranges: {
    kind: "purpose",
    text: "Numbers outside the API's bounds, and NaN, are refused with the bounds rather than by the model, or never",
  },
  unknown: {
    kind: "purpose",
    text:
      "Fields that MLflow does not know are kept and handed on to the model, the API's own (seed, tool_choice, …) under their names. MLflow drops them here and refuses them there",
  },
  shapes: {
    kind: "purpose",
    text:
      "OpenAI's shapes whole: content parts, pieces of tool calls, a refusal beside text, an empty answer in the history, one stop text",
  },
  parts: {
    kind: "purpose",
    text: "Content parts are checked, so that no model has to guess what they are; a user says something",
  },
  words: {
    kind: "purpose",
    text:
      "Roles, finish reasons and kinds are the API's words, as clients and models tell cases apart by them; tool calls are the assistant's",
  },
  schema: {
    kind: "purpose",
    text: "Tools carry full JSON Schema, checked, or none. MLflow loses or refuses what its classes lack",
  },
  booleans: {
    kind: "purpose",
    text: "true is no number. To MLflow's classes it is 1, as it is to Python; MLflow's loaded models refuse it too",
  },
  request: {
    kind: "purpose",
    text:
      "A request that has been read before is taken like the plain object. MLflow's loaded models refuse their own class",
  },
  empty: { kind: "purpose", text: "A conversation has at least one message. MLflow calls the model with none" },
  batch: {
    kind: "purpose",
    text:
      "One call, one request, also alone in a list. MLflow answers the first of several and drops the rest silently",
  },
  usage: { kind: "purpose", text: "Usage is whole or absent, as clients add it up" },
  outputs: { kind: "purpose", text: "custom_outputs is an object, as MLflow's own signature says" },
  answers: {
    kind: "purpose",
    text:
      "Authors return what they have, at once or later: text, a message, a response or pieces of one, as plain values. MLflow wants instances of its classes",
  },
  canonical: {
    kind: "purpose",
    text:
      "Answers are checked and completed once, before they go out: there is always a choice, and never an unreadable one",
  },
  early: {
    kind: "purpose",
    text: "What is wrong with the request is said when it is made, not when the stream is first read",
  },
  derived: { kind: "purpose", text: "predict or predictStream: the other one is derived, so every chat model streams" },
  context: { kind: "purpose", text: "One signature: the context comes first, always" },
  example: {
    kind: "purpose",
    text: "An example that is empty is an error. MLflow takes it for none, and writes its own in its place",
  },
  metadata: {
    kind: "purpose",
    text: "Metadata is added to the task. MLflow's save_model loses the task, its log_model does not",
  },
  code: {
    kind: "purpose",
    text: "Models are saved as code, never as pickled objects, and the author's object stays the library's own affair",
  },
  set_model: {
    kind: "purpose",
    text: "A file that names no model has none. MLflow saves the model that another file of the process named before",
  },
  config_argument: {
    kind: "purpose",
    text:
      "Configuration is an argument, with defaults in its place. MLflow's is global, and a file that works by itself fails to be logged",
  },
  config: {
    kind: "purpose",
    text:
      "Layers of configuration are merged, and a key that was not logged is an error that names the nearest one. MLflow replaces whole objects, and ignores such keys",
  },
  numbers: {
    kind: "language",
    text:
      "JSON and JavaScript have one kind of number. Every number is taken where a number is meant, every integral one where an integer is meant. MLflow refuses 2 for a float and 5.0 for an integer",
  },
  arguments: {
    kind: "language",
    text: "JavaScript passes all arguments, whatever the names and number of parameters. MLflow goes by these",
  },
  keys: { kind: "language", text: "Keys of JSON and JavaScript objects are strings. MLflow refuses an integer key" },
  classes: {
    kind: "language",
    text:
      "Messages and answers are plain objects, of whatever class. MLflow wants dictionaries here, instances there, and no mixture",
  },
} as const satisfies Readonly<Record<string, ReasonText>>;

/** Name of a reason. */
export type Reason = keyof typeof REASONS;
