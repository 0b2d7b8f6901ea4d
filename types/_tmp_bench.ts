import { parseChatChunk, parseChatRequest, parseChatResponse } from "./mod.ts";
const one = {
  model: "llama3.2:1b",
  messages: [{ role: "user", content: "Hello, who are you?" }],
  temperature: 0.5,
  stream: true,
};
const nulls = { ...one, max_tokens: null, top_p: null };
const twenty = {
  ...one,
  messages: Array.from({ length: 20 }, (_, i) => ({ role: i % 2 ? "assistant" : "user", content: "text " + i })),
};
const tools = {
  ...one,
  tools: [{
    type: "function",
    function: { name: "f", description: "d", parameters: { type: "object", properties: {} } },
  }],
  tool_choice: "auto",
  extra_x: 1,
  messages: [{ role: "system", content: "s" }, {
    role: "user",
    content: [{ type: "text", text: "x" }, { type: "image_url", image_url: { url: "data:" } }],
  }],
};
const chunk = {
  id: "c",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [{ index: 0, delta: { content: "x" }, logprobs: null, finish_reason: null }],
};
function time(name: string, f: () => void) {
  for (let i = 0; i < 50000; i++) f();
  let best = Infinity;
  for (let r = 0; r < 5; r++) {
    const t = performance.now();
    for (let i = 0; i < 100000; i++) f();
    best = Math.min(best, performance.now() - t);
  }
  console.log(name, (best / 100000 * 1000).toFixed(3), "µs");
}
const t1 = JSON.stringify(one);
time("JSON.parse one", () => JSON.parse(t1));
time("one", () => parseChatRequest(one));
time("one + nulls", () => parseChatRequest(nulls));
time("twenty", () => parseChatRequest(twenty));
time("tools", () => parseChatRequest(tools));
time("chunk", () => parseChatChunk(chunk));
