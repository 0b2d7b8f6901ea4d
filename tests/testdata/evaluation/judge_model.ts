import { ChatModel } from "../../../mod.ts";

export default class FileJudge extends ChatModel {
  override predict(): string {
    return JSON.stringify({ rationale: "From a file", value: "yes" });
  }
}
