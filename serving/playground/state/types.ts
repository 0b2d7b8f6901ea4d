/** What the page knows. All of it is plain data, so that it can be kept over a reload. */

/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** An object of JSON. */
export type JsonObject = { readonly [key: string]: Json };

/** What is set in the panel, as it was typed: text is kept even where it makes no sense. */
export interface Settings {
  readonly model: string;
  readonly system: string;
  readonly temperature: string;
  readonly maxTokens: string;
  readonly stop: string;
  readonly seed: string;
  readonly reasoningEffort: string;
  readonly tools: string;
  readonly responseSchema: string;
  readonly customInputs: string;
  readonly moreFields: string;
  readonly stream: boolean;
}

/** Names of the settings that are typed. */
export type FieldName = Exclude<keyof Settings, "stream">;

/** What is wrong with which setting. */
export type Problems = { readonly [Name in FieldName]?: string };

/** An image of the user's. */
export interface Image {
  readonly name: string;
  /** A `data:` URL. */
  readonly url: string;
}

/** What the user said. */
export interface UserTurn {
  readonly role: "user";
  readonly id: string;
  readonly text: string;
  readonly images: readonly Image[];
}

/** A call of a tool, and what the user gives as its result. */
export interface Call {
  readonly id: string;
  readonly type: "function" | "custom";
  readonly name: string;
  /** JSON text of a function's arguments, or a custom tool's input. */
  readonly input: string;
  readonly result: string;
}

/** An error as it came from the server, or from the browser when there was no answer. */
export interface Failure {
  readonly message: string;
  readonly status?: number;
  /** Whether it came in a stream, whose status tells of its beginning only. */
  readonly inStream?: boolean;
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
  readonly requestId?: string;
}

/** Milliseconds since the request was sent. */
export interface Timing {
  readonly firstToken?: number;
  readonly total?: number;
}

/** Tokens taken. */
export interface TokenCount {
  readonly prompt: number;
  readonly completion: number;
  readonly reasoning?: number;
}

/** A piece of an answer's body, as it came. */
export interface Frame {
  /** Milliseconds since the request was sent. */
  readonly at: number;
  readonly text: string;
}

/** A request and the answer to it, as they went over the wire. */
export interface Exchange {
  readonly request: JsonObject;
  readonly status?: number;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly frames: readonly Frame[];
}

/** How far an answer is. */
export type Progress = "waiting" | "streaming" | "done" | "stopped" | "failed";

/** One of the answers that the model gave: there are several if `n` was asked for. */
export interface Choice {
  readonly index: number;
  readonly content: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly calls: readonly Call[];
  /** Whether the results of the calls have been given. */
  readonly answered: boolean;
  readonly finishReason?: string;
}

/** What the model said. */
export interface AssistantTurn {
  readonly role: "assistant";
  readonly id: string;
  /** The model that was asked, or that the answer says it is of; empty if none was named. */
  readonly model: string;
  readonly progress: Progress;
  /** In the order of their indexes; empty as long as nothing has come. */
  readonly choices: readonly Choice[];
  /** Index of the one that is shown, and that the conversation goes on from. */
  readonly chosen: number;
  readonly tokens?: TokenCount;
  readonly timing: Timing;
  readonly customOutputs?: Json;
  readonly failure?: Failure;
  readonly exchange: Exchange;
}

/** One entry of the conversation. */
export type Turn = UserTurn | AssistantTurn;

/** What is typed but not sent. */
export interface Draft {
  readonly text: string;
  readonly images: readonly Image[];
}

/** The models that can be asked. */
export type Models =
  | { readonly state: "loading" }
  | { readonly state: "ready"; readonly ids: readonly string[] }
  | { readonly state: "failed"; readonly failure: Failure };

/** All of it. */
export interface State {
  readonly models: Models;
  readonly settings: Settings;
  readonly turns: readonly Turn[];
  readonly draft: Draft;
  /** Id of the user's turn that is being changed. */
  readonly editing?: string;
  /** Something to tell about the draft. */
  readonly notice?: string;
  /** What is read out: how far the answer is. */
  readonly announcement: string;
  /** The answer whose wire is looked at; `next`: the request that would be sent. */
  readonly inspected?: string;
  readonly settingsOpen: boolean;
}
