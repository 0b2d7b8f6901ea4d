import { FORM_SCENARIOS } from "./_form_scenarios.ts";
import { testScenario } from "./_scenario.ts";

FORM_SCENARIOS.forEach(testScenario);
