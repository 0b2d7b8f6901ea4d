/** Where we differ from MLflow: what it did, and what we do. */
import type { Differences } from "./_case.ts";

export const CONFIG_DIFFERENT: Differences = {
  "load: override new key": {
    reason: "config",
    mlflow: { accepted: { a: "logged", all: { a: "logged", nested: { x: 1, y: 2 } } } },
    ours: { refused: "new" },
  },
  "load: override nested (shallow)": {
    reason: "config",
    mlflow: { accepted: { a: "logged", all: { a: "logged", nested: { x: 9 } } } },
    ours: { accepted: { a: "logged", all: { a: "logged", nested: { x: 9, y: 2 } } } },
  },
  "load: yaml path override": {
    reason: "config",
    mlflow: { accepted: { a: "logged", all: { a: "logged", nested: { a: 5 } } } },
    ours: { refused: "greeting" },
  },
};
