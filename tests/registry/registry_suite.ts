/**
 * What every registry must do, whichever it is. It holds for the embedded one and for genuine MLflow servers; names are
 * new for each test, so that registries may be shared by tests and by runs of the suite.
 */
import { registeredModelTests } from "./suite/registered_models.ts";
import { resolveTests } from "./suite/resolve.ts";
import { registrySearchTests } from "./suite/search.ts";
import type { OpenRegistry } from "./suite/support.ts";
import { modelVersionTests } from "./suite/versions.ts";

export type { OpenRegistry } from "./suite/support.ts";

/**
 * Registers the suite's tests.
 *
 * @param name Name of the registry in the tests' names.
 * @param open Opens a registry and its tracking store: once for each test, which disposes of them.
 */
export function registrySuite(name: string, open: OpenRegistry): void {
  const suite = { name, open };
  registeredModelTests(suite);
  modelVersionTests(suite);
  registrySearchTests(suite);
  resolveTests(suite);
}
