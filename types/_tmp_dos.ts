import { parseChatRequest } from "./mod.ts";
const body = JSON.parse(`{"messages":[${"1,".repeat(1000000)}1]}`);
const t = performance.now();
try {
  parseChatRequest(body);
} catch (e) {
  console.log(
    (e as Error).constructor.name,
    (e as Error).message.length,
    performance.now() - t,
    Deno.memoryUsage().rss / 1e6,
  );
}
