/**
 * Options of Node itself for an agent's process. Pictures lie outside the heap, which stays small: with its usual first
 * size V8 then collects the whole heap twice a second, at half of the agent's processor time
 * (docs/decisions/0014-own-rtsp-client.md).
 */
export const EDGE_AGENT_NODE_OPTIONS: readonly string[] = ["--initial-heap-size=256"];
