import { aliasRemove, aliasSet } from "./alias.ts";
import type { Command } from "./command.ts";
import { doctor } from "./doctor.ts";
import { experimentsList } from "./experiments.ts";
import { log } from "./log.ts";
import { modelsDiff } from "./models_diff.ts";
import { modelsList } from "./models_list.ts";
import { modelsShow } from "./models_show.ts";
import { predict } from "./predict.ts";
import { register } from "./register.ts";
import { runsList, runsShow } from "./runs.ts";
import { serve } from "./serve.ts";

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
  serve,
  experimentsList,
  runsList,
  runsShow,
  doctor,
];
