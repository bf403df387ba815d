// The configuration that the launcher writes for its edge agent. It holds accounts, so only its owner may read it.
import { rename, writeFile } from "node:fs/promises";
import type { RealCamera } from "./options.ts";

export interface EdgeAgentPlan {
  readonly stateDir: string;
  readonly serverUrl: string;
  readonly mqttUrl: string;
  readonly claimCode: string;
  readonly simulated: readonly {
    readonly onvifUrl: string;
    readonly note: string | null;
    readonly name: string;
  }[];
  readonly account: { readonly username: string; readonly password: string };
  readonly real: readonly RealCamera[];
}

/** The content of the agent's configuration file (edge-agent/src/config.ts). */
export function edgeAgentConfig(plan: EdgeAgentPlan): Record<string, unknown> {
  return {
    stateDir: plan.stateDir,
    serverUrl: plan.serverUrl,
    mqttUrl: plan.mqttUrl,
    claimCode: plan.claimCode,
    name: "This machine",
    discovery: { enabled: true, interfaceAddress: "127.0.0.1" },
    cameras: [
      ...plan.simulated.map(({ onvifUrl, name, note }) => ({
        onvif: onvifUrl,
        name,
        ...plan.account,
        ...(note === null ? {} : { note }),
      })),
      ...plan.real.map(({ rtspUrl, ...account }) => ({ rtsp: { main: rtspUrl }, ...account })),
    ],
  };
}

/** Writes the file whole or not at all, readable by its owner only. */
export async function writeSecretJson(file: string, content: unknown): Promise<void> {
  const part = `${file}.part`;
  await writeFile(part, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(part, file);
}
