import { testScenario } from "./_scenario.ts";
import { WORKER_SCENARIOS } from "./_worker_scenarios.ts";

for (const scenario of WORKER_SCENARIOS) testScenario(scenario);
