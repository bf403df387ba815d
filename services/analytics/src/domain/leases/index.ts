export * from "./lease-plan.ts";
export * from "./unstopped-clock.ts";
