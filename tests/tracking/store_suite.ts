/**
 * What every tracking store must do, whichever it is. It holds for the embedded store and for genuine MLflow servers;
 * names are new for each test, so that stores may be shared by tests and by runs of the suite.
 */
import { artifactTests } from "./suite/artifacts.ts";
import { experimentTests } from "./suite/experiments.ts";
import { inputTests } from "./suite/inputs.ts";
import { loggedModelTests } from "./suite/logged_models.ts";
import { metricTests } from "./suite/metrics.ts";
import { paramAndTagTests } from "./suite/params_and_tags.ts";
import { runTests } from "./suite/runs.ts";
import { searchExperimentTests } from "./suite/search_experiments.ts";
import { searchLoggedModelTests } from "./suite/search_logged_models.ts";
import { searchRunTests } from "./suite/search_runs.ts";
import type { OpenStore } from "./suite/support.ts";

export type { OpenStore } from "./suite/support.ts";

/**
 * Registers the suite's tests.
 *
 * @param name Name of the store in the tests' names.
 * @param open Opens the store: once for each test, which disposes of it.
 */
export function storeSuite(name: string, open: OpenStore): void {
  const suite = { name, open };
  experimentTests(suite);
  searchExperimentTests(suite);
  runTests(suite);
  paramAndTagTests(suite);
  metricTests(suite);
  searchRunTests(suite);
  inputTests(suite);
  loggedModelTests(suite);
  searchLoggedModelTests(suite);
  artifactTests(suite);
}
