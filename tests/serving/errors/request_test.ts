import { REQUEST_SCENARIOS } from "./_request_scenarios.ts";
import { testScenario } from "./_scenario.ts";

REQUEST_SCENARIOS.forEach(testScenario);
