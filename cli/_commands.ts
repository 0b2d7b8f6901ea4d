import { aliasRemove, aliasSet } from "./alias.ts";
import type { Command } from "./command.ts";
import { doctor } from "./doctor.ts";
import { evaluate } from "./evaluate.ts";
import { experimentsList, experimentsSearch } from "./experiments.ts";
import { keysCreate, keysList, keysRemove } from "./keys.ts";
import { log } from "./log.ts";
import { modelsDiff } from "./models_diff.ts";
import { modelsList } from "./models_list.ts";
import { modelsShow } from "./models_show.ts";
import { modelsPredict, predict } from "./predict.ts";
import { register } from "./register.ts";
import { runsDescribe, runsList, runsShow } from "./runs.ts";
import { serve } from "./serve.ts";
import { tracesFeedback, tracesList, tracesShow } from "./traces.ts";

/** All commands, in the order in which help shows them. */
export const COMMANDS: readonly Command[] = [
  log,
  register,
  aliasSet,
  aliasRemove,
  modelsList,
  modelsShow,
  modelsDiff,
  predict,
  evaluate,
  serve,
  keysCreate,
  keysList,
  keysRemove,
  experimentsList,
  runsList,
  runsShow,
  tracesList,
  tracesShow,
  tracesFeedback,
  doctor,
];

/** Those that go by the names of MLflow's command line. */
export const MLFLOW_COMMANDS: readonly Command[] = [experimentsSearch, runsDescribe, modelsPredict];
