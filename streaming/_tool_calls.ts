import type { ToolCallDelta } from "../types/mod.ts";
import { invalidOutput, isFields, optionalCount, optionalFields, optionalText } from "./_checks.ts";
import { createId } from "./_ids.ts";

interface OpenCall {
  readonly id: string;
  readonly type: "function" | "custom";
  /** What has come of the arguments or the input. */
  text: string;
}

/**
 * Turns pieces of tool calls, in any of the forms that servers send, into OpenAI's: id, type and name once per call,
 * then fragments, indexes counting from 0.
 */
export class ToolCallNormaliser {
  readonly #calls: OpenCall[] = [];
  /** Index as the source counts → index as we count. */
  readonly #byIndex = new Map<number, number>();
  readonly #byId = new Map<string, number>();

  /** Whether there was a call. */
  get any(): boolean {
    return this.#calls.length > 0;
  }

  /**
   * Takes a piece and gives what is to be sent for it, in order.
   *
   * @throws {ChatModelError} If the piece cannot be understood.
   */
  push(value: unknown, path: string): ToolCallDelta[] {
    if (!isFields(value)) throw invalidOutput(path, "an object", value);
    const type = value.custom !== undefined && value.custom !== null ? "custom" : "function";
    const body = optionalFields(value[type], `${path}.${type}`);
    const id = optionalText(value.id, `${path}.id`) || undefined;
    const sourceIndex = optionalCount(value.index, `${path}.index`);
    const name = optionalText(body?.name, `${path}.${type}.name`) || undefined;
    const fragment = type === "custom"
      ? optionalText(body?.input, `${path}.custom.input`) ?? ""
      : argumentsText(body?.arguments, `${path}.function.arguments`);

    const deltas: ToolCallDelta[] = [];
    let index = this.#find(id, sourceIndex, name);
    if (index === undefined) {
      if (name === undefined) {
        throw invalidOutput(`${path}.${type}.name`, "the name of a tool, in the first piece of a call", body?.name);
      }
      index = this.#calls.length;
      const call: OpenCall = { id: id ?? createId("call_"), type, text: "" };
      this.#calls.push(call);
      deltas.push(
        type === "custom"
          ? { index, id: call.id, type, custom: { name, input: "" } }
          : { index, id: call.id, type, function: { name, arguments: "" } },
      );
    }
    if (id !== undefined) this.#byId.set(id, index);
    if (sourceIndex !== undefined) this.#byIndex.set(sourceIndex, index);
    const call = this.#calls[index];
    if (fragment !== "" && call !== undefined) {
      call.text += fragment;
      deltas.push(
        call.type === "custom" ? { index, custom: { input: fragment } } : { index, function: { arguments: fragment } },
      );
    }
    return deltas;
  }

  /** Which call a piece continues; `undefined` if it begins one. */
  #find(id: string | undefined, sourceIndex: number | undefined, name: string | undefined): number | undefined {
    if (id !== undefined) {
      const known = this.#byId.get(id);
      if (known !== undefined) return known;
      // An index seen before with another id is a new call: old Ollama servers number all calls 0.
      const atIndex = sourceIndex === undefined ? undefined : this.#byIndex.get(sourceIndex);
      return name === undefined ? atIndex : undefined;
    }
    const open = sourceIndex === undefined ? this.#lastOpen() : this.#byIndex.get(sourceIndex);
    if (open === undefined || name === undefined) return open;
    // A name again: some servers repeat it in every piece, others begin a new call without an id.
    return sourceIndex === undefined || isComplete(this.#calls[open]?.text ?? "") ? undefined : open;
  }

  #lastOpen(): number | undefined {
    return this.#calls.length === 0 ? undefined : this.#calls.length - 1;
  }
}

/** Arguments as JSON text: text as it is, any other value written as JSON. */
function argumentsText(value: unknown, path: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  let text: string | undefined;
  try {
    text = JSON.stringify(value, refuseInfinity);
  } catch {
    // Circular, or a bigint or Infinity inside: reported below like all else that JSON cannot hold.
  }
  if (text === undefined) throw invalidOutput(path, "JSON text, or a value that JSON can hold", value);
  return text;
}

/** JSON would write null. */
function refuseInfinity(_key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("Number is not finite");
  return value;
}

function isComplete(text: string): boolean {
  if (!text.trimEnd().endsWith("}")) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // Not whole yet: that is the answer, not a failure.
  }
}
