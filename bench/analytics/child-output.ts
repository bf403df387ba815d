import { spawn } from "node:child_process";
import { once } from "node:events";

/** What a child writes to its standard output. @throws Error when it fails */
export async function output(command: string, args: readonly string[]): Promise<Buffer> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const [code] = (await closed) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with code ${code}`);
  return Buffer.concat(chunks);
}
