/** Files of models that do what those behind the recorded `save:` vectors do. */

/** A file whose default export is a model with these members, which need these types. */
export function modelFile(members: string, ...imported: readonly string[]): string {
  const names = ["ChatModel", ...imported.map((name) => `type ${name}`)].join(", ");
  return `import { ${names} } from "@chatmodel/chat-model";\nexport default class Vec extends ChatModel {\n${members}\n}\n`;
}

/** Answers "ok". */
export const OK: string = modelFile('override predict() { return "ok"; }');

/** What else is in the file, by the vectors' names. */
export const FILES: { readonly [name: string]: string } = {
  "save: returns dict": modelFile('override predict() { return { choices: [{ message: { content: "ok" } }] }; }'),
  "save: predict raises": modelFile(
    'override predict(): string { throw Object.assign(new Error("boom"), { name: "RuntimeError" }); }',
  ),
  "save: predict(ctx, messages, params)": modelFile(
    "override predict(_ctx: unknown, messages: readonly unknown[]) { return String(messages.length); }",
  ),
  "save: predict(messages)": modelFile('override predict(_messages: unknown) { return "ok"; }'),
  "save: async predict": modelFile('override async predict() { return await Promise.resolve("ok"); }'),
  "save: no predict": modelFile(""),
  "save: load_context raises": modelFile(
    'override loadContext(): void { throw Object.assign(new Error("lc"), { name: "RuntimeError" }); }\n' +
      'override predict() { return "ok"; }',
  ),
  "save: no set_model (after an earlier set_model in process)": "export const nothing = 1;\n",
  "save: syntax error": "export default class {{\n",
  "save: import error": 'import "./not_a_module_xyz.ts";\n',
  "save: set_model str":
    'import { setModel } from "@chatmodel/chat-model";\nReflect.apply(setModel, undefined, ["x"]);\n',
  "save: ModelConfig(development_config) without model_config": modelFile(
    'override predict({ modelConfig }: ModelContext) { return modelConfig.get("a", "dev"); }',
    "ModelContext",
  ),
  "load: override on model without config": OK,
};

/** Vectors on what becomes of the call that MLflow makes at every save: here it is made if asked for. */
export const VALIDATED = new Set([
  "save: returns dict",
  "save: predict raises",
  "save: predict(ctx, messages, params)",
  "save: predict(messages)",
  "save: async predict",
  "save: load_context raises",
  "save: ModelConfig(development_config) without model_config",
]);
