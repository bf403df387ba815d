import { once } from "node:events";
import { connect } from "node:net";
import { type Finding, fine, words } from "./finding.ts";

export function answered(where: string, ms: number): Finding {
  return fine(words(`${where} answers after ${ms} ms`, `${where}，${ms} 毫秒后应答`));
}

/** Opens a TCP connection and closes it; whole milliseconds that it took. Throws what the system says. */
export async function connectTo(to: {
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
}): Promise<number> {
  const startedAtMs = performance.now();
  const socket = connect({ host: to.host, port: to.port });
  try {
    await once(socket, "connect", { signal: to.signal });
    return Math.round(performance.now() - startedAtMs);
  } finally {
    socket.on("error", () => undefined);
    socket.destroy();
  }
}
