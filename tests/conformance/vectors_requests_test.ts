import { testCases } from "./_case.ts";
import { PARAMS, REQUESTS, TOOLS } from "./_groups_requests.ts";

testCases(PARAMS);
testCases(REQUESTS);
testCases(TOOLS);
