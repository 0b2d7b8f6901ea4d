// deno-lint-ignore-file no-console -- it says what it got to the test that started it
/**
 * One of several processes that share limits: asks for much at once, as soon as it is told to, and says what it got.
 *
 * Arguments: URL of Redis, how many to ask for, the limit of requests, the limit of tokens, tokens of each.
 */
import { RedisLimitStore } from "../../../serving/redis/mod.ts";

const [url = "", ...numbers] = Deno.args;
const [count = 0, requestsPerMinute = 0, tokensPerMinute = 0, tokens = 0] = numbers.map(Number);
const store = new RedisLimitStore({ url, onLost: "closed", commandTimeout: 5000 });
const limits = { requestsPerMinute, tokensPerMinute };
await store.reserve("warm", { requests: 1, tokens: 1 }, limits);
console.log("ready");
await Deno.stdin.read(new Uint8Array(1));
const decisions = await Promise.all(
  Array.from({ length: count }, () => store.reserve("shared", { requests: 1, tokens }, limits)),
);
console.log(String(decisions.filter(({ granted }) => granted).length));
await store.close();
