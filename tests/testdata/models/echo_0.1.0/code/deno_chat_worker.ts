import { serveStdio } from "jsr:@chatmodel/chat-model@^0.1.0/models";

await serveStdio(new URL("../", import.meta.url));
