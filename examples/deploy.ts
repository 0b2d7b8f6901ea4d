// deno serve --host=127.0.0.1 --port=8000 examples/deploy.ts
import { DemoChatModel } from "@chatmodel/chat-model/demo";
import { createApp } from "@chatmodel/chat-model/serve";
import Hello from "./hello.ts";

/** Models for `deno serve` and Deno Deploy, which call `fetch`; the first is the default. */
const app: Deno.ServeDefaultExport = createApp({ hello: Hello, demo: DemoChatModel });

export default app;
