import { MODEL_SCENARIOS } from "./_model_scenarios.ts";
import { testScenario } from "./_scenario.ts";

MODEL_SCENARIOS.forEach(testScenario);
