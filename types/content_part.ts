/** A piece of text in a message's content. */
export interface TextPart {
  /** Kind of part. */
  readonly type: "text";
  /** The text. */
  readonly text: string;
}

/** Where an image is found, and how closely to look at it. */
export interface ImageUrl {
  /** A `data:` URL with base64 data, or an `http(s):` URL. */
  readonly url: string;
  /** How many tokens the model may spend on the image. Default: the model's choice. */
  readonly detail?: "auto" | "low" | "high";
}

/** An image in a user message. */
export interface ImageUrlPart {
  /** Kind of part. */
  readonly type: "image_url";
  /** The image. A bare string on the wire is read as `{ url }`, as Ollama does. */
  readonly image_url: ImageUrl;
}

/** Recorded sound. */
export interface InputAudio {
  /** The sound file's bytes in base64. */
  readonly data: string;
  /** Format of the sound file. */
  readonly format: "wav" | "mp3";
}

/** Sound in a user message. */
export interface InputAudioPart {
  /** Kind of part. */
  readonly type: "input_audio";
  /** The sound. */
  readonly input_audio: InputAudio;
}

/** A file's data or its id. */
export interface FileReference {
  /** The file as a `data:` URL. */
  readonly file_data?: string;
  /** Name of the file. */
  readonly filename?: string;
  /** Id of an uploaded file. */
  readonly file_id?: string;
}

/** A file in a user message. */
export interface FilePart {
  /** Kind of part. */
  readonly type: "file";
  /** The file. */
  readonly file: FileReference;
}

/** A model's refusal, in an assistant message of the history. */
export interface RefusalPart {
  /** Kind of part. */
  readonly type: "refusal";
  /** The words of the refusal. */
  readonly refusal: string;
}

/** What a user message may consist of. */
export type UserContentPart = TextPart | ImageUrlPart | InputAudioPart | FilePart;

/** What an assistant message of the history may consist of. */
export type AssistantContentPart = TextPart | RefusalPart;
