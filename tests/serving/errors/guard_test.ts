import { GUARD_SCENARIOS } from "./_guard_scenarios.ts";
import { testScenario } from "./_scenario.ts";

GUARD_SCENARIOS.forEach(testScenario);
