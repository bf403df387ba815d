export { type EdgeAgent, type EdgeAgentOptions, startEdgeAgent } from "./compose.ts";
export type { CameraConfig, EdgeAgentConfig } from "./config.ts";
export { EDGE_FAULTS, EdgeError, type EdgeFaultCode } from "./domain/faults.ts";
export { EDGE_AGENT_NODE_OPTIONS } from "./node-options.ts";
