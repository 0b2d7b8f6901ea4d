import { testCases } from "./_case.ts";
import { CONFIG } from "./_groups_config.ts";

testCases(CONFIG);
