import { type EventAck, EventAckSchema } from "@huishi/contracts";
import { Compile } from "typebox/compile";
import { EdgeError } from "../../domain/faults.ts";

const ackSchema = Compile(EventAckSchema);

/**
 * Batches that wait for the centre's own acknowledgement (`EventAck`). Behind a broker a PUBACK says that the broker
 * has the batch, not that the database has it.
 */
export class AwaitedAcks {
  readonly #timeoutMs: number;
  readonly #waiting = new Map<string, () => void>();
  #nextBatch = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Numbers a batch and waits for its acknowledgement; rejects in time, or with the signal's reason. */
  expect(
    boot: string,
    closed: AbortSignal,
  ): { readonly batch: number; readonly acknowledged: Promise<void> } {
    const batch = this.#nextBatch++;
    const key = `${boot} ${batch}`;
    const acknowledged = new Promise<void>((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        closed.removeEventListener("abort", onClosed);
        this.#waiting.delete(key);
        finish();
      };
      const onClosed = (): void => settle(() => reject(closed.reason as Error));
      const timer = setTimeout(
        () =>
          settle(() => reject(new EdgeError("SERVER_UNREACHABLE", "the centre did not acknowledge a batch"))),
        this.#timeoutMs,
      );
      closed.addEventListener("abort", onClosed, { once: true });
      this.#waiting.set(key, () => settle(resolve));
    });
    return { batch, acknowledged };
  }

  /** @returns false for what is no acknowledgement; one that nobody waits for (any more) is ignored */
  receive(message: unknown): boolean {
    if (!ackSchema.Check(message)) return false;
    const { boot, batch } = message as EventAck;
    this.#waiting.get(`${boot} ${batch}`)?.();
    return true;
  }
}
