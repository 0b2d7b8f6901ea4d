import { testCases } from "./_case.ts";
import { MESSAGES, TOOL_CALLS } from "./_groups_messages.ts";

testCases(MESSAGES);
testCases(TOOL_CALLS);
