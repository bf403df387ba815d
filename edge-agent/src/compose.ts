// How the edge agent is put together: identity, outbox, two connections, cameras; stopped in reverse order.
import { setMaxListeners } from "node:events";
import type { CommandDesk } from "./application/command-desk.ts";
import { composeBase, type EdgeAgentOptions } from "./compose-base.ts";
import { composeCommand } from "./compose-command.ts";
import { composeCameraBase, composeDevices } from "./compose-devices.ts";
import { composeLinks } from "./compose-links.ts";
import { composeStatus } from "./compose-status.ts";

export type { EdgeAgentOptions } from "./compose-base.ts";

/** A running agent. */
export interface EdgeAgent {
  readonly agentId: string;
  /** Where the centre's commands are carried out. */
  readonly commands: Pick<CommandDesk, "register">;
  /** Ids of the cameras that are known so far. */
  readonly cameraIds: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts the agent: waits until the centre has given it an identity (a stored one needs no centre), then runs
 * until `close()`. Needs no inbound port.
 *
 * @throws EdgeError CLAIM_MISSING, CLAIM_REFUSED, CONFIG_INVALID, STATE_DIR, STATE_IN_USE, DISK_FULL
 */
export async function startEdgeAgent(options: EdgeAgentOptions): Promise<EdgeAgent> {
  const stop = new AbortController();
  // Every camera waits on it in several places: more than ten listeners are no leak here.
  const linkStop = new AbortController();
  setMaxListeners(0, stop.signal, linkStop.signal);
  const base = await composeBase(options, stop.signal);
  const { log, agentId } = base;
  const links = composeLinks(base, {
    centre: () => command.centre,
    onDemand: (cameraId, demand, isRetained) => devices.fleet.demand(cameraId, demand, isRetained),
  });
  const cameras = await composeCameraBase(base, links.media, () => command.configuration.current);
  const command = await composeCommand({
    log,
    stateDir: options.stateDir,
    replies: links.events,
    known: base.known,
    cameras: cameras.parts,
    site: cameras.found,
    localIds: new Set(options.cameras.flatMap(({ id }) => id ?? [])),
    behindBroker: options.acknowledgement === "application",
    fleet: () => devices.fleet,
    onState: () => void status.report(true).catch(() => undefined),
  });
  const devices = await composeDevices(base, cameras, command);
  const status = composeStatus(base, { links, command, devices, budget: cameras.budget });
  await command.start();

  const devicesRun = devices.run(stop.signal);
  const linked = links.run({ command, budget: cameras.budget }, linkStop.signal);
  const running = Promise.all([linked, status.run(linkStop.signal)]);
  log.info({ agentId, cameras: options.cameras.length }, "edge agent runs");

  return {
    agentId,
    commands: command.desk,
    get cameraIds() {
      return devices.fleet.cameraIds;
    },
    // The cameras and sensors stop first, so that what they report last still goes out.
    async close() {
      stop.abort(new Error("the agent stops"));
      await command.close();
      await devicesRun;
      await devices.close();
      await status.close();
      linkStop.abort(new Error("the agent stops"));
      await running;
      await base.recorder.settle();
      await base.outbox.close();
    },
  };
}
