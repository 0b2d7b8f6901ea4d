import { ChatModelError, type ModelNotFoundError } from "../../types/mod.ts";
import type { OllamaClient } from "./client.ts";
import type { ConvertedRequest } from "./convert_request.ts";
import type { AnswerOutcome } from "./convert_response.ts";
import { fetchImage } from "./fetch_image.ts";
import { forgetModelFacts, getModelFacts, type ModelFacts } from "./model_facts.ts";
import type { OllamaChatModelOptions } from "./ollama_chat_model_options.ts";
import { RequestIssues } from "./_request_issues.ts";
import { runAll } from "./_several.ts";
import { SharedTask } from "./_shared_task.ts";
import type { OllamaChatRequest } from "./wire.ts";

/** A request that is ready to be sent. */
export interface Prepared {
  /** The request. */
  readonly request: ConvertedRequest;
  /** Body of `POST /api/chat`, complete. */
  readonly body: OllamaChatRequest;
  /** Paths of what was given but has no effect. */
  readonly ignored: readonly string[];
}

/** Sends requests for one model, and sees to what they need beforehand: facts about the model, images, the model itself. */
export class Requester {
  readonly #client: OllamaClient;
  readonly #model: string;
  readonly #pullMissing: NonNullable<OllamaChatModelOptions["pullMissing"]>;
  #pull: SharedTask<void> | undefined;

  constructor(
    client: OllamaClient,
    options: Pick<OllamaChatModelOptions, "model" | "pullMissing">,
  ) {
    this.#client = client;
    this.#model = options.model;
    this.#pullMissing = options.pullMissing ?? false;
  }

  /**
   * Sends a request, having found out what it needs. If the model is missing and is to be pulled then, it is, and the
   * request is sent again.
   *
   * @param request The request.
   * @param signal Ends the call.
   * @param send Sends it.
   * @returns What was sent, and what came of it.
   */
  async ask<T>(
    request: ConvertedRequest,
    signal: AbortSignal,
    send: (body: OllamaChatRequest) => Promise<T>,
  ): Promise<{ readonly prepared: Prepared; readonly result: T }> {
    // Not by `getting`: each function that waits costs, and this runs for every call.
    try {
      const prepared = readyAsItIs(request) ?? await this.#prepare(request, signal);
      return { prepared, result: await send(prepared.body) };
    } catch (error) {
      if (!this.#mayPull(error)) throw error;
    }
    await this.#pullModel(signal);
    const prepared = await this.#prepare(request, signal);
    return { prepared, result: await send(prepared.body) };
  }

  /**
   * Sends something, and if the model is missing and is to be pulled then, pulls it and sends it again.
   *
   * @param signal Ends the call.
   * @param send Sends it.
   * @returns What came of it.
   */
  async getting<T>(signal: AbortSignal, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (!this.#mayPull(error)) throw error;
    }
    await this.#pullModel(signal);
    return await send();
  }

  #mayPull(error: unknown): boolean {
    return this.#pullMissing !== false && isModelNotFound(error);
  }

  async #prepare(request: ConvertedRequest, signal: AbortSignal): Promise<Prepared> {
    const ready = readyAsItIs(request);
    if (ready !== undefined) return ready;
    const { wantedThinking, imagePath, audioPath, pendingImages, ignored } = request;
    const { capabilities } = await this.#getFacts(signal);
    const issues = new RequestIssues();
    const refuse = (capability: string, path: string, what: string) =>
      issues.addUnsupported(
        path,
        `must not be ${what}, as model "${this.#model}" has not the capability "${capability}". ` +
          "Use one that has it ('ollama show NAME' tells)",
      );
    // Old servers do not tell what a model can do. They get what was asked for.
    if (imagePath !== undefined && capabilities?.includes("vision") === false) refuse("vision", imagePath, "an image");
    if (audioPath !== undefined && capabilities?.includes("audio") === false) refuse("audio", audioPath, "sound");
    issues.throwIfAny();
    const thinks = wantedThinking !== undefined && capabilities?.includes("thinking") === true;
    const messages = pendingImages.length === 0 ? request.body.messages : await fetchImages(request, signal);
    return {
      request,
      body: { ...request.body, messages, ...(thinks && { think: wantedThinking.think }) },
      ignored: wantedThinking === undefined || thinks ? ignored : [...ignored, wantedThinking.path],
    };
  }

  #getFacts(signal: AbortSignal): Promise<ModelFacts> {
    return getModelFacts(this.#client, this.#model, signal);
  }

  async #pullModel(signal: AbortSignal): Promise<void> {
    if (this.#pull === undefined || this.#pull.abandoned) {
      const pull = new SharedTask<void>(async (signal) => {
        try {
          for await (const progress of this.#client.pull(this.#model, { signal })) {
            if (typeof this.#pullMissing === "function") this.#pullMissing(progress);
          }
        } finally {
          forgetModelFacts(this.#client, this.#model);
          if (this.#pull === pull) this.#pull = undefined;
        }
      });
      this.#pull = pull;
    }
    await this.#pull.wait(signal);
  }

  /**
   * Tells why an answer was cut short for which the request had set no limit.
   *
   * @param outcome What is known at its end.
   * @param signal Ends the wait.
   * @returns Whether its window was full: not if the Modelfile's limit was reached, or if no one can tell.
   */
  async isContextFull(outcome: AnswerOutcome, signal: AbortSignal): Promise<boolean> {
    if (!outcome.unexplainedLength) return false;
    try {
      const { numPredict } = await this.#getFacts(signal);
      return numPredict === undefined || outcome.usage.completion_tokens < numPredict;
    } catch (error) {
      if (signal.aborted) throw error;
      // The answer is there and right. That no one can tell why it was cut short is no reason to lose it.
      return false;
    }
  }
}

/** A request for which nothing need be known of the model: most are. */
function readyAsItIs(request: ConvertedRequest): Prepared | undefined {
  const { wantedThinking, imagePath, audioPath, body, ignored } = request;
  if (wantedThinking !== undefined || imagePath !== undefined || audioPath !== undefined) return undefined;
  return { request, body, ignored };
}

function isModelNotFound(error: unknown): error is ModelNotFoundError {
  return ChatModelError.isInstance(error) && error.status === 404 && error.code === "model_not_found";
}

async function fetchImages(request: ConvertedRequest, signal: AbortSignal): Promise<OllamaChatRequest["messages"]> {
  const { pendingImages, body } = request;
  const fetched = await runAll(pendingImages.length, signal, async (i, signal) => {
    const pending = pendingImages[i];
    return pending === undefined ? undefined : { ...pending, base64: await fetchImage(pending, { signal }) };
  });
  return body.messages.map((message, position) => {
    const own = fetched.filter((image) => image?.message === position);
    if (own.length === 0) return message;
    const images = [...message.images ?? []];
    for (const image of own) if (image !== undefined) images[image.image] = image.base64;
    return { ...message, images };
  });
}
