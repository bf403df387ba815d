import { HuishiError } from "@huishi/kernel";
import { createServer } from "node:net";

/** Is the loopback port free? Binds it for a moment. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Refuses a taken port before anything is started.
 *
 * @throws HuishiError PORT_TAKEN
 */
export async function requireFreePort(port: number, option: string): Promise<number> {
  if (await isFree(port)) return port;
  throw new HuishiError(
    "PORT_TAKEN",
    `Port ${port} is taken by another program. Choose another one with ${option} N.`,
    { details: { port } },
  );
}

/** `wanted` when it is free, else 0 (any free port). */
export async function preferPort(wanted: number): Promise<number> {
  return (await isFree(wanted)) ? wanted : 0;
}
