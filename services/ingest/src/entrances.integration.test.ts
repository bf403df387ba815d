import { ENTRANCE_KINDS } from "./test-support/entrance-kinds.ts";
import { describeEntrance } from "./test-support/entrance.contract.ts";

for (const kind of ENTRANCE_KINDS) describeEntrance(kind);
