import { ChatModelError } from "../../types/mod.ts";

/** Fewest characters of a key: a shorter one can be guessed. */
export const LEAST_KEY_LENGTH = 16;

/** Most characters of a key. What is longer is refused before it costs anything. */
export const MOST_KEY_LENGTH = 1024;

/** Characters of which keys are made: visible ASCII, so that a header can carry them, and no comma, which joins headers. */
const KEY_REGEXP = /^[\x21-\x2b\x2d-\x7e]+$/;

const SCHEME = "bearer";

/** Whether a text can be a key, apart from its length. */
export function isKeyText(text: string): boolean {
  return KEY_REGEXP.test(text);
}

/**
 * The key in an `Authorization` header, by RFC 6750 §2.1; the scheme in any case, by RFC 9110 §11.1.
 *
 * @throws {ChatModelError} Status 401, if there is none. Nothing of the header is quoted: wherever the mistake is, what
 * stands there may be the key.
 */
export function bearerKey(authorization: string | null): string {
  if (authorization === null || authorization === "") throw refusal("it has no API key", HOW);
  if (authorization.slice(0, SCHEME.length).toLowerCase() !== SCHEME) {
    throw refusal('the scheme of its Authorization header is not "Bearer"', HOW);
  }
  let start = SCHEME.length;
  while (authorization[start] === " ") start++;
  const length = authorization.length - start;
  if (length === 0) throw refusal('its Authorization header has no key after "Bearer"', HOW);
  if (start === SCHEME.length) throw refusal('its Authorization header has no space after "Bearer"', HOW);
  if (length > MOST_KEY_LENGTH) throw refusal(`its API key is longer than ${MOST_KEY_LENGTH} characters`, CHECK);
  const key = authorization.slice(start);
  if (!isKeyText(key)) {
    throw refusal("its API key holds what no key does, such as a space, a comma or the end of a line", CHECK);
  }
  return key;
}

/** Refuses a key that is not known. */
export function unknownKey(): ChatModelError {
  return refusal("its API key is not known here", CHECK);
}

const HOW = 'Send "Authorization: Bearer KEY"; OpenAI\'s clients take the key as "apiKey" or from OPENAI_API_KEY';
const CHECK = "Check that it was copied as a whole, and that it is for this server";

function refusal(problem: string, hint: string): ChatModelError {
  return new ChatModelError(`Cannot let the request in: ${problem}. ${hint}`, { code: "invalid_api_key" });
}
