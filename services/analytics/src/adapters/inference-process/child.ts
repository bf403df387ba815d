/** Entry of an inference process: one thread of inference for the cameras that its parent gives it. */
import { HuishiError, messageOf } from "@huishi/kernel";
import { openDetector } from "../detector/open-detector.ts";
import { PARAMETERS } from "../../domain/tracker/parameters.ts";
import { InferenceWorker } from "./inference-worker.ts";
import type { ChildConfig, ToChild, ToParent } from "./messages.ts";

function send(message: ToParent): void {
  // The parent may be gone; `disconnect` ends this process then.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

async function main(): Promise<void> {
  const config = JSON.parse(process.argv[2] ?? "{}") as ChildConfig;
  const detector = await openDetector(config.detector ?? {}, { minScore: PARAMETERS.lowScore });
  const worker = new InferenceWorker(detector, send);
  let stopping: Promise<void> | null = null;
  // Exits only when no inference runs: an exit during one aborts the process.
  const stop = (): void => {
    stopping ??= worker.stop().then(() => process.exit(0));
  };
  process.on("message", (message: ToChild) => (message.type === "stop" ? stop() : worker.receive(message)));
  process.on("disconnect", stop);
  send({ type: "ready", classes: detector.classes, provider: detector.provider });
}

// The parent decides when this process ends: Ctrl-C reaches the whole process group.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
try {
  await main();
} catch (error) {
  const code = error instanceof HuishiError ? error.code : "INFERENCE_PROCESS_FAILED";
  process.send?.(
    { type: "failed", code, message: messageOf(error) } satisfies ToParent,
    undefined,
    undefined,
    () => process.exit(1),
  );
}
