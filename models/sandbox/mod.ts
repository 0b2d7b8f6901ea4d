/**
 * Models whose code runs in a worker of its own, with the permissions that it declared and no others.
 *
 * @module
 */
export { importSandboxed, type SandboxedModel } from "./load_sandboxed.ts";
export { type ReadSandboxOptions, readSandboxOptions, sandboxOption, type SandboxOptions } from "./options.ts";
