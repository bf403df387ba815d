import type { AddressInfo, Server } from "node:net";
import { SimulatorError } from "./errors.ts";

/**
 * Binds a server and gives its port.
 *
 * @throws SimulatorError SIMULATOR_PORT_UNAVAILABLE
 */
export function listen(server: Server, host: string, port: number, what: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === "EADDRINUSE"
          ? "another program uses it; choose another port or 0 for any"
          : (cause.code ?? cause.message);
      reject(
        new SimulatorError(
          "SIMULATOR_PORT_UNAVAILABLE",
          `the ${what} cannot listen on ${host}:${port}: ${why}`,
          { cause },
        ),
      );
    });
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      server.on("error", () => undefined);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
