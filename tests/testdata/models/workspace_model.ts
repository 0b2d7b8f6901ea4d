// Names that are folders of the workspace here, and packages everywhere else.
import { ChatModel } from "@chatmodel/chat-model";
import { DemoChatModel } from "@chatmodel/chat-model/demo";
import { setModel } from "jsr:@chatmodel/chat-model@^0.1.0";
import type { ChatRequest } from "../../../mod.ts";
import { join } from "@std/path";
import * as v from "valibot";

export type Request = ChatRequest;
export const parts = [ChatModel, setModel, join("a", "b"), v.string()];
export default class extends DemoChatModel {}
