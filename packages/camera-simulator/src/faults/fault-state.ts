/** The switches of one camera as its RTSP server reads them: for every picture and request anew. */
import type { ServerFaults, StreamFaults, StreamName } from "./types.ts";

export class FaultState {
  readonly #streams = new Map<StreamName, StreamFaults>();
  server: ServerFaults = {};
  /** Right sign-ins that are still to be called stale. */
  staleLeft = 0;

  streamFaults(stream: StreamName): StreamFaults {
    return this.#streams.get(stream) ?? {};
  }

  setStream(stream: StreamName, faults: StreamFaults): void {
    this.#streams.set(stream, { ...faults });
  }

  setServer(faults: ServerFaults): void {
    this.server = { ...faults };
    this.staleLeft = faults.staleNonces ?? 0;
  }

  clear(): void {
    this.#streams.clear();
    this.setServer({});
  }
}
