import { type Clock, sleep } from "@huishi/kernel";
import { type Scene, valuesAt } from "./scene.ts";
import type { Sender } from "./senders.ts";

/** Plays a scene through a sender until the signal aborts. A message that cannot be sent is told and left. */
export async function play(
  options: {
    readonly scene: Scene;
    readonly sender: Pick<Sender, "send">;
    readonly intervalMs: number;
    readonly clock: Clock;
    readonly onFailure: (error: unknown) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { scene, sender, intervalMs, clock, onFailure } = options;
  const startedMs = clock.nowMs();
  while (!signal.aborted) {
    const nowMs = clock.nowMs();
    await sender.send(valuesAt(scene, nowMs - startedMs), nowMs).catch(onFailure);
    await sleep(intervalMs, signal).catch(() => undefined);
  }
}
