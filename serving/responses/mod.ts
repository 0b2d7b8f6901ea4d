/**
 * OpenAI's Responses API: requests become chat requests, answers become responses, and those that are kept can be gone
 * on from.
 *
 * @module
 */
export { responseRoutes } from "./_routes.ts";
