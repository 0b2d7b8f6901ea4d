import { testCases } from "./_case.ts";
import { CHUNKS, RESPONSES } from "./_groups_messages.ts";

testCases(CHUNKS);
testCases(RESPONSES);
