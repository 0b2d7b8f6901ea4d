import { testCases } from "./_case.ts";
import { STREAM } from "./_groups_loaded.ts";

testCases(STREAM);
