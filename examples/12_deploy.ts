// deno serve --host=127.0.0.1 --port=8000 examples/12_deploy.ts
import { DemoChatModel } from "@chatmodel/chat-model/demo";
import { createApp } from "@chatmodel/chat-model/serve";
import Echo from "./01_echo.ts";

/** Models for `deno serve` and Deno Deploy, which call `fetch`; the first is the default. */
const app: Deno.ServeDefaultExport = createApp({ echo: Echo, demo: DemoChatModel });

export default app;
