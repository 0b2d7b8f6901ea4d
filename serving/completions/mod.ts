/**
 * OpenAI's legacy completions: each prompt is answered as a conversation of one message.
 *
 * @module
 */
export { completionRoutes } from "./_routes.ts";
