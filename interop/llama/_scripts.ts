import type { ScriptedModelOptions } from "./_scripted_model.ts";

/** What comes after any prompt that ends in no trigger. Its characters are cut between tokens. */
export const GREETING = "Hello from llama.cpp: ä€😀 naïve 日本語, and so on.";
export const COUNT = "one two three four five six seven eight nine ten";
export const THINKING = "Because it is so.";
export const CONCLUSION = "Therefore I say it";
export const CALL = { name: "weather", arguments: { city: "Rome" } };

/** What the model says. */
export const SCRIPTS: Pick<ScriptedModelOptions, "otherwise" | "scripts"> = {
  otherwise: GREETING,
  scripts: {
    "<|count|>": { text: COUNT },
    "<|endless|>": { text: "again and again it goes ", isEndless: true },
    "<|think|>": { text: `<think>${THINKING}</think>${CONCLUSION}` },
    "<|call|>": { text: `<tool_call>\n${JSON.stringify(CALL)}\n</tool_call>` },
  },
};

/** The last message's content ends the prompt, so that a trigger in it is the last token. Tools as Qwen has them. */
export const CHAT_TEMPLATE =
  `{%- if tools %}# Tools\n<tools>\n{%- for tool in tools %}\n{{ tool | tojson }}\n{%- endfor %}\n</tools>\n` +
  `For each function call, return a json object within <tool_call></tool_call> XML tags:\n` +
  `<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>\n{%- endif %}` +
  `{%- for message in messages %}{{ message.role }}: ` +
  `{%- if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{%- endif %}` +
  `{%- for call in message.tool_calls or [] %}<tool_call>\n{"name": "{{ call.function.name }}", "arguments": ` +
  `{{ call.function.arguments | tojson }}}\n</tool_call>{%- endfor %}{{ message.content or '' }}{%- endfor %}`;
