/** What the named schemas are. */
export const DESCRIPTIONS: Readonly<Record<string, string>> = {
  AssistantMessage: "What the model said earlier.",
  ChatCompletionChunk: "A piece of a streamed answer. A frame may also be an `ErrorResponse`, which is then the last.",
  ChatCompletionRequest: "What the model is to answer, and how. A field that is `null` counts as absent. Fields that " +
    "are not named here are handed to the model as they are. Beyond what is written here, names of tools must differ, " +
    "and a choice must name one of them.",
  ChatCompletionResponse: "A whole answer.",
  ChatMessage: "A message of a conversation; `role` tells which kind.",
  ChatCompletionUpdate: "What to change of a chat completion that is kept.",
  CompletionRequest: "What a chat model is to answer, and how. A field that is `null` counts as absent. Fields that " +
    "are not named here are handed to the model as they are. Beyond what is written here, `best_of` must be `n`, and " +
    "`logprobs` does not go with `echo`.",
  CustomTool: "A tool whose input is free text or follows a grammar.",
  CustomToolCall: "A call of a custom tool.",
  DeletedChatCompletion: "A chat completion that is no more.",
  DeveloperMessage: "Instructions for the model: OpenAI's newer name for the system role. Treated alike.",
  Embedding: "The vector of one text.",
  EmbeddingRequest: "Texts to make vectors of. Fields that are not named here are handed to the model as they are. " +
    "Beyond what is written here, a model may limit `dimensions`.",
  EmbeddingResponse: "Vectors of texts.",
  ErrorObject: "What went wrong, as OpenAI's clients read it.",
  ErrorResponse: "Body of an error answer, and of the frame that ends a failed stream.",
  FilePart: "A file in a user message.",
  FileReference: "A file's data or its id.",
  FinishReason: "Why an answer ended.",
  FunctionCall: "Name and arguments of a call. The model wrote the arguments: they may be no JSON.",
  FunctionDefinition: "A function that the model may call.",
  FunctionMessage: "The result of a function call, in the deprecated form of the API.",
  FunctionTool: "A tool of kind function.",
  FunctionToolCall: "A call of a function.",
  ImageUrl: "Where an image is found, and how closely to look at it.",
  ImageUrlPart: "An image in a user message.",
  InputAudio: "Recorded sound.",
  InputAudioPart: "Sound in a user message.",
  InvocationChatRequest: "As a `ChatCompletionRequest`, but `metadata` may be any object: no answer is kept.",
  InvocationRequest:
    "A chat request, or the input of a custom model: in one of MLflow's wrappers, of which there must " +
    "be only one, or as it is if it has `messages`, `prompt` or `input`. Beyond what is written here, the input must be " +
    "as the signature of the model says; a chat model takes no `instances`, `prompt` or `input`, and one row only.",
  InvocationResponse:
    "The answer of a chat model, or of a custom model, which may be anything; under `predictions` if " +
    "the input was in a wrapper.",
  DeletedResponse: "A response that is no more.",
  JsonSchema: "A JSON Schema. Keywords that are not known are taken as they are.",
  Metadata: "Labels of an answer that is kept, within OpenAI's limits.",
  MlflowError: "What went wrong, as MLflow's clients read it.",
  Model: "A model that this server offers.",
  ModelList: "The models that this server offers.",
  RefusalPart: "A model's refusal, in an assistant message of the history.",
  Response: "A response: what was asked for, and what came of it.",
  ResponseEvent: "A step of a streamed response. `type` says which, and what else there is.",
  ResponseItemList: "A page of what a response was asked with.",
  ResponseOutputItem: "A thing that the model gave: words, thinking, or a call.",
  ResponseOutputText: "Words of the model.",
  ResponseReasoningText: "The model's thinking.",
  ResponseRefusal: "A refusal of the model.",
  ResponseSummaryText: "The model's thinking, in the place of its summary.",
  ResponseUsage: "Tokens that a response took.",
  ResponseFormat: "Shape the answer must have.",
  ResponseInputItem:
    "What was said: a message, a call, its output, the model's thinking, or a reference to any of these.",
  ResponseRequest:
    "What the model is to respond to, and how. A field that is `null` counts as absent. Fields that are " +
    "not named here are handed to the model as they are. `input` or `previous_response_id` must be there, and with " +
    "every call of a tool its output.",
  StoredChatCompletion: "A chat completion that is kept, with its labels.",
  StoredChatCompletionList: "A page of chat completions.",
  StoredMessageList: "A page of what a chat completion was asked with.",
  SystemMessage: "Instructions for the model.",
  TextCompletion: "Answers to prompts.",
  TextCompletionChunk: "A piece of streamed answers to prompts.",
  TextPart: "A piece of text in a message's content.",
  ToolCall: "A call of a tool.",
  ToolChoice: "Whether and what the model must call.",
  ToolDefinition: "A tool that the model may call.",
  ToolMessage: "The result of a tool call.",
  Usage: "Tokens that a call took.",
  UserMessage: "What the user says.",
};
