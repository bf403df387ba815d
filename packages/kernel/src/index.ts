export * from "./clock.ts";
export * from "./errors.ts";
export * from "./fault-latch.ts";
export * from "./bounded-queue.ts";
export * from "./retry.ts";
export * from "./supervisor.ts";
export * from "./ids.ts";
export * from "./geometry.ts";
export * from "./path.ts";
<<<<<<< HEAD
export * from "./zone-flows.ts";
=======
export * from "./ground-plane.ts";
>>>>>>> main
