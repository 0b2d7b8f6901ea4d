import { PACKAGE_VERSION } from "./_specifiers.ts";

/** The program that the Python loader starts. */
export const WORKER_SOURCE: string = `import { serveStdio } from "jsr:@chatmodel/chat-model@^${PACKAGE_VERSION}/models";

await serveStdio(new URL("../", import.meta.url));
`;
