import { join } from "@std/path";
import { LOADER_SOURCE } from "./_python_loader.ts";
import { WORKER_SOURCE } from "./_python_worker.ts";

/** What MLflow's Python needs to have beside a model, if it is to make an environment for it. */
const REQUIREMENTS = "mlflow\n";

const PYTHON_ENV = `python: 3.11.7
build_dependencies:
- pip
- setuptools
- wheel
dependencies:
- -r requirements.txt
`;

const CONDA = `channels:
- conda-forge
dependencies:
- python=3.11.7
- pip
- pip:
  - mlflow
name: mlflow-env
`;

/** Adds to a model's folder what MLflow's Python needs to run it. */
export async function addPythonFiles(folder: string): Promise<void> {
  await Deno.mkdir(join(folder, "code"));
  await Deno.writeTextFile(join(folder, "code", "deno_chat_loader.py"), LOADER_SOURCE);
  await Deno.writeTextFile(join(folder, "code", "deno_chat_worker.ts"), WORKER_SOURCE);
  await Deno.writeTextFile(join(folder, "requirements.txt"), REQUIREMENTS);
  await Deno.writeTextFile(join(folder, "python_env.yaml"), PYTHON_ENV);
  await Deno.writeTextFile(join(folder, "conda.yaml"), CONDA);
}
