/** The worker that holds the socket: reads frames, remuxes them, and hands finished fragments to the page. */
import { decodeAccessUnit, type StreamProfile } from "@huishi/contracts";
import { monotonicEpochMs } from "../clock/server-clock.ts";
import { type FromWorker, streamKey, type ToWorker } from "./protocol.ts";
import { Remuxer } from "./remuxer.ts";
import { SocketSession } from "./socket-session.ts";

/** The worker's own global; the page's library has another `postMessage`. */
const scope = globalThis as unknown as {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToWorker>) => void): void;
};
/** Kept over reconnects, so that a stream goes on where its player's time line ended. */
const remuxers = new Map<string, Remuxer>();
let session: SocketSession | null = null;

function receiveMedia(cameraId: string, profile: StreamProfile, message: Uint8Array): void {
  const key = streamKey(cameraId, profile);
  const remuxer = remuxers.get(key) ?? new Remuxer();
  remuxers.set(key, remuxer);
  let result;
  try {
    result = remuxer.push(decodeAccessUnit(message));
  } catch {
    result = { dropped: "damaged" } as const;
  }
  if ("dropped" in result) {
    scope.postMessage({ t: "dropped", cameraId, profile, reason: result.dropped });
    return;
  }
  const transfer: Transferable[] = [result.bytes.buffer];
  if (result.init) transfer.push(result.init.bytes.buffer);
  scope.postMessage({ t: "segment", cameraId, profile, segment: result }, transfer);
}

function start(url: string): void {
  session?.stop();
  session = new SocketSession(
    {
      openSocket: () => new WebSocket(url),
      nowMs: monotonicEpochMs,
      random: Math.random,
      setTimeout: (run, delayMs) => setTimeout(run, delayMs),
      clearTimeout: (timer) => clearTimeout(timer as number),
    },
    {
      connection: (state) => scope.postMessage({ t: "connection", state }),
      clock: (offsetMs) => scope.postMessage({ t: "clock", offsetMs }),
      media: receiveMedia,
      message: (message) => {
        if (message.t === "welcome") scope.postMessage({ t: "welcome", resumed: message.resumed });
        else if (message.t === "changes") scope.postMessage({ t: "changes", changes: message.changes });
        else if (message.t === "scene") scope.postMessage({ t: "scene", scene: message.scene });
        else if (message.t === "watching") scope.postMessage({ t: "watching", refused: message.refused });
      },
    },
  );
  session.start();
}

scope.addEventListener("message", ({ data }) => {
  if (data.t === "start") start(data.url);
  else if (data.t === "watch") session?.watch(data.watches);
  else if (data.t === "retryNow") session?.retryNow();
  else session?.stop();
});
