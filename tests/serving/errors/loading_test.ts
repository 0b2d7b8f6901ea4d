import { LOADING_SCENARIOS } from "./_loading_scenarios.ts";
import { testScenario } from "./_scenario.ts";

LOADING_SCENARIOS.forEach(testScenario);
