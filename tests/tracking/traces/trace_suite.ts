/**
 * What every tracking store must do with traces, whichever it is. It holds for the embedded store and for genuine MLflow
 * servers.
 */
import { assessmentTests } from "./suite/assessments.ts";
import { logTests } from "./suite/log.ts";
import { manageTests } from "./suite/manage.ts";
import { searchTests } from "./suite/search.ts";
import type { OpenStore, Suite } from "../suite/support.ts";

/** A store under test. */
export interface TraceSuite extends Suite {
  /** Whether it is a server of MLflow 3.12, whose filters compare no numbers of judgements. */
  readonly isOld: boolean;
}

/**
 * Registers the suite's tests.
 *
 * @param name Name of the store in the tests' names.
 * @param open Opens the store: once for each test, which disposes of it.
 * @param options What the store cannot do.
 */
export function traceSuite(name: string, open: OpenStore, options: { readonly isOld?: boolean } = {}): void {
  const suite = { name, open, isOld: options.isOld ?? false };
  logTests(suite);
  searchTests(suite);
  manageTests(suite);
  assessmentTests(suite);
}
