import { OLLAMA_SCENARIOS } from "./_ollama_scenarios.ts";
import { testScenario } from "./_scenario.ts";

OLLAMA_SCENARIOS.forEach(testScenario);
