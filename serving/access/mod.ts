/**
 * Who may ask a server: API keys and where they come from, and the names it may be asked under. Knows nothing of the
 * rest of `serving`.
 *
 * @module
 */
export { allowsModel, type ApiKey, checkModel } from "./api_key.ts";
export { ApiKeys, type ApiKeySource } from "./api_keys.ts";
export { ApiKeysFile, type ApiKeysFileOptions } from "./api_keys_file.ts";
export { apiKeysFromJson, apiKeysFromText, type ApiKeysTextOptions } from "./api_keys_text.ts";
export { type ApiKeyEntry, isKeyName, isModelPattern, KEY_NAME, MODEL_PATTERN, toEntry } from "./_key_schema.ts";
export { checkHost, isLoopbackAddress, isLoopbackHost, parseAllowedHost } from "./hosts.ts";
export { hashSecret } from "./_secret_hash.ts";
