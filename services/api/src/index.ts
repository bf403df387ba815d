export { startApi, type ApiOptions, type RunningApi } from "./compose.ts";
export { issueClaimCode, issueSetupToken } from "./first-keys.ts";
export type { PartHealth } from "./adapters/fastify/routes/operation-routes.ts";
