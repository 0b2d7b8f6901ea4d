import { testCases } from "./_case.ts";
import { PREDICT } from "./_groups_loaded.ts";

testCases(PREDICT);
