import { logModel, type LogModelOptions } from "../models/mod.ts";
import { checkLoggedName } from "../models/log_model.ts";
import { checkAlias, checkName } from "../registry/names.ts";
import { checkConfig } from "../models/config_layers.ts";
import { parsePermissions } from "../models/permissions.ts";
import { setExperiment, startRun } from "../tracking/mod.ts";
import { CommandError } from "../_command_error.ts";
import type { Command, CommandInput } from "./command.ts";
import { EXPERIMENT_ID, experimentOf } from "./_experiment.ts";
import { jsonOf, pairsOf } from "./_flags.ts";
import { interruptible } from "./_interruption.ts";
import { print, printJson, tell } from "./_output.ts";
import { inCommands } from "./_remedies.ts";
import { TransferProgress } from "./_transfer_progress.ts";
import { withStores } from "./_stores.ts";

/** `log`. */
export const log: Command = {
  words: ["log"],
  summary: "Log a model file in a run: code, signature, example, configuration",
  positionals: ["FILE"],
  flags: {
    "name": { value: "NAME", required: true, help: "Name of the logged model" },
    "experiment": { value: "NAME", help: "Experiment, made if missing (default: MLflow's variables, else Default)" },
    "experiment-id": EXPERIMENT_ID,
    "run-name": { value: "NAME", help: "Name of the run" },
    "input-example": { value: "FILE|JSON", help: "A request to go with the model" },
    "model-config": { value: "FILE|JSON", help: "Configuration of the model: JSON, or a file of YAML or JSON" },
    "artifact": { value: "NAME=PATH", repeated: true, help: "File, folder or URI to go with the model" },
    "code-path": { value: "PATH", repeated: true, help: "File or folder that its code reads" },
    "param": { value: "NAME=VALUE", repeated: true, help: "Parameter of the run and the model" },
    "tag": { value: "NAME=VALUE", repeated: true, help: "Tag of the logged model" },
    "validate": { value: "predict|stream", help: "Call the model once, and keep its answer as an example" },
    "permissions": { value: "FILE|JSON", help: "What its code needs when Python runs it (default: net and env)" },
    "register": { value: "NAME", help: "Register it as the next version of this name" },
    "alias": { value: "ALIAS", help: "Alias that is to stand for that version; needs --register" },
  },
  async run(input) {
    const [file = ""] = input.positionals;
    const alias = input.text("alias");
    const registered = input.text("register");
    if (alias !== undefined && registered === undefined) throw new CommandError("--alias needs --register NAME", 2);
    const experiment = chosenExperiment(input);
    // Before there is a run that would have failed for nothing, or a version that lacks its alias.
    checkLoggedName(input.text("name") ?? "");
    if (registered !== undefined) checkName(`register model "${file}"`, registered);
    if (alias !== undefined) checkAlias(`register model "${file}"`, alias);
    await checkFile(file);
    const options = await modelOptions(input, file);
    const params = pairsOf("param", input.texts("param"));
    const runName = input.text("run-name");
    const info = await interruptible((signal) =>
      withStores(input, async ({ store, registry }) => {
        if (experiment !== undefined) await setExperiment(experiment);
        signal.throwIfAborted();
        const progress = new TransferProgress();
        const logged = await startRun({ ...(runName !== undefined && { runName }) }, async (run) => {
          try {
            if (Object.keys(params).length > 0) await store.logBatch(run.info.runId, { params });
            return await logModel({ ...options, signal, onProgress: progress.show });
          } catch (error) {
            progress.end();
            // Else it counts as one that failed.
            if (signal.aborted) await run.end("KILLED");
            throw error;
          }
        });
        progress.end();
        const version = logged.registeredModelVersion;
        if (alias !== undefined && registered !== undefined && version !== undefined) {
          await registry.setAlias(registered, alias, version);
        }
        return logged;
      })
    );
    for (const warning of info.warnings) tell(`warning: ${inCommands(warning)}`);
    if (input.json) {
      return printJson({
        model_uri: info.modelUri,
        model_id: info.modelId,
        run_id: info.runId,
        experiment_id: info.experimentId,
        ...(info.registeredModelVersion !== undefined && { version: info.registeredModelVersion }),
      });
    }
    print(`Logged ${info.modelUri} in run ${info.runId} of experiment ${info.experimentId}`);
    if (registered !== undefined) {
      print(
        `Registered models:/${registered}/${info.registeredModelVersion}${
          alias === undefined ? "" : `, alias "${alias}"`
        }`,
      );
    }
  },
};

function chosenExperiment(input: CommandInput): string | { readonly experimentId: string } | undefined {
  const experiment = experimentOf(input);
  const isId = experiment !== undefined && input.text("experiment-id") !== undefined;
  return isId ? { experimentId: experiment } : experiment;
}

async function checkFile(path: string): Promise<void> {
  try {
    if ((await Deno.stat(path)).isFile) return;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new CommandError(`Cannot log model "${path}": there is no such file. Check the path`, 1, { cause });
  }
  throw new CommandError(`Cannot log model "${path}": it is not a file. Name the .ts or .js file of the model`, 1);
}

async function modelOptions(input: CommandInput, file: string): Promise<LogModelOptions> {
  const inputExample = input.text("input-example");
  const modelConfig = input.text("model-config");
  const permissions = input.text("permissions");
  const artifacts = pairsOf("artifact", input.texts("artifact"));
  const codePaths = input.texts("code-path");
  const registeredModelName = input.text("register");
  const validate = input.text("validate");
  if (validate !== undefined && validate !== "predict" && validate !== "stream") {
    throw new CommandError(`--validate must be "predict" or "stream", but is "${validate}"`, 2);
  }
  return {
    name: input.text("name") ?? "",
    model: file,
    artifacts,
    codePaths,
    tags: pairsOf("tag", input.texts("tag")),
    ...(inputExample !== undefined && { inputExample: await jsonOf("input-example", inputExample) }),
    ...(modelConfig !== undefined && { modelConfig: await configOf(modelConfig) }),
    ...(permissions !== undefined && { permissions: parsePermissions(await jsonOf("permissions", permissions)) }),
    ...(registeredModelName !== undefined && { registeredModelName }),
    ...(validate !== undefined && { validate }),
  };
}

/** A file is left to be read there, as it may be YAML. */
async function configOf(text: string): Promise<NonNullable<LogModelOptions["modelConfig"]>> {
  return /^\s*[[{]/.test(text) ? checkConfig(await jsonOf("model-config", text), "--model-config") : text;
}
