const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 48;

/** Bytes from here on would make the first letters likelier than the last. */
const FAIR = 256 - 256 % LETTERS.length;

/** Makes an API key: `sk-` and 48 random letters and digits, 285 bits in all. */
export function newSecret(): string {
  let secret = "sk-";
  while (secret.length < "sk-".length + LENGTH) {
    const [byte = FAIR] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < FAIR) secret += LETTERS[byte % LETTERS.length];
  }
  return secret;
}
