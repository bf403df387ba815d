export { startApi, type ApiOptions, type RunningApi } from "./compose.ts";
export { issueClaimCode, issueSetupToken } from "./first-keys.ts";
