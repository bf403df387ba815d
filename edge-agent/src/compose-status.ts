// What the agent tells of itself: status to the centre, the status page, metrics, logs.
import { keyIdOf } from "@huishi/platform";
import { X509Certificate } from "node:crypto";
import { supervise } from "@huishi/kernel";
import { MqttUploader } from "./adapters/mqtt/mqtt-uploader.ts";
import { diskRoom } from "./adapters/machine/disk-room.ts";
import { StatusPage } from "./adapters/status-page/status-page.ts";
import { AgentStateDesk, type AgentIdentity } from "./application/agent-state.ts";
import { LogCommands } from "./application/log-commands.ts";
import { reportStatus, reportStatusRegularly } from "./application/report-status.ts";
import type { AgentBase } from "./compose-base.ts";
import type { ComposedCentre } from "./compose-centre.ts";
import type { CommandParts } from "./compose-command.ts";
import type { ComposedDevices } from "./compose-devices.ts";
import type { ComposedLinks } from "./compose-links.ts";
import type { UplinkBudget } from "./domain/uplink-budget.ts";
import { EdgeMetrics } from "./metrics.ts";
import { statusPageOf } from "./status-page-config.ts";
import { VERSION } from "./version.ts";
import { join } from "node:path";

const PAGE_RETRY = { baseDelayMs: 1_000, maxDelayMs: 60_000, healthyAfterMs: 30_000 };

export interface StatusParts {
  readonly links: ComposedLinks;
  readonly command: CommandParts;
  readonly devices: ComposedDevices;
  /** Logs share the uplink with everything else. */
  readonly budget: UplinkBudget;
}

export interface ComposedStatus {
  /** Tells the centre once, when it is there. */
  report(online: boolean): Promise<void>;
  /** Until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** @throws EdgeError STATUS_PAGE_OPEN */
export function composeStatus(base: AgentBase, parts: StatusParts): ComposedStatus {
  const { links, command, devices } = parts;
  const { log, clock, outbox } = base;
  const desk = stateDesk(base, parts);
  const metrics = new EdgeMetrics(() => desk.describe());
  command.desk.register("metrics", () => metrics.numbers());
  const page = pageOf(base, desk, metrics);
  const logs = logCommands(base, parts);
  const sources = {
    link: links.events,
    outbox,
    clock,
    version: VERSION,
    log,
    config: () => command.configuration.state,
    mediaDropped: () => devices.fleet.mediaDropped,
    recording: () => devices.recordings.ring.state(),
  };
  return {
    report: (online) => reportStatus(sources, online),
    async run(signal) {
      await Promise.all([
        desk.run(signal),
        reportStatusRegularly(sources, signal),
        page &&
          supervise({ name: "status page", run: (s) => page.run(s) }, signal, {
            ...PAGE_RETRY,
            onFailure: ({ error, retryDelayMs }) =>
              log.error({ err: error, retryDelayMs }, "the status page cannot be served"),
          }),
      ]);
    },
    async close() {
      await logs?.close();
    },
  };
}

function logCommands(
  { options, agentId, clock, log }: AgentBase,
  { links, command, budget }: StatusParts,
): LogCommands | null {
  const { logs: source } = options;
  if (!source) return null;
  const uploader = new MqttUploader(links.media, agentId, (bytes) => budget.takeUpload(bytes, clock.nowMs()));
  const commands = new LogCommands({ source, uploader, log });
  command.desk.register("logs", commands.logs);
  return commands;
}

function pageOf({ options }: AgentBase, desk: AgentStateDesk, metrics: EdgeMetrics): StatusPage | null {
  const where = statusPageOf(options.statusPage);
  if (where === null) return null;
  return new StatusPage({
    ...where,
    state: () => desk.describe(),
    metrics: () => metrics.text(),
    ...(options.onStatusPage === undefined ? {} : { onListening: options.onStatusPage }),
  });
}

function stateDesk(base: AgentBase, { links, command, devices }: StatusParts): AgentStateDesk {
  const { options, clock, outbox, known } = base;
  const { keeper } = devices.sensors;
  const recordings = options.recordingsDir ?? options.recordings?.folder;
  return new AgentStateDesk({
    clock,
    version: VERSION,
    identity: identityOf(known),
    outbox,
    centre: () => links.describe(),
    cameras: () => devices.fleet.describe(),
    recording: () => devices.recordings.ring.state(),
    sensors: () => ({ totals: keeper.totals, conditions: keeper.conditions }),
    found: () =>
      devices.found.watch.listQuarantine().map(({ deviceKey, address, name, hardware, lastSeenMs }) => ({
        deviceKey,
        address,
        name: name ?? null,
        hardware: hardware ?? null,
        lastSeenAtMs: lastSeenMs,
      })),
    configuration: () => command.configuration.state,
    disks: async () => [
      await diskRoom("state", options.stateDir, clock.nowMs()),
      await diskRoom("recordings", recordings ?? join(options.stateDir, "recordings"), clock.nowMs()),
    ],
    usage: () => ({
      pid: process.pid,
      residentBytes: process.memoryUsage.rss(),
      cpuSeconds: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
    }),
    steadyMs: () => performance.now(),
  });
}

function identityOf({ identity, keys, ca }: ComposedCentre): AgentIdentity {
  return {
    agentId: identity.agentId,
    signKeyId: keyIdOf(keys.sign.publicKey),
    sealKeyId: keyIdOf(keys.seal.publicKey),
    authoritySha256:
      ca === undefined ? null : new X509Certificate(ca).fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}
