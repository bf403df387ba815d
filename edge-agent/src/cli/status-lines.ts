// The agent's state as lines for a terminal.
import type { AgentState, CameraState } from "../application/agent-state.ts";
import type { Texts } from "./texts.ts";

const GIB = 1024 ** 3;
const FULL_BYTES = GIB / 4;
/** A picture older than this shows its age. */
const OLD_MS = 5_000;

interface Line {
  readonly level: "ok" | "warn" | "fail";
  readonly text: string;
}

/** Each line begins with its level, as the doctor's do. */
export function statusLines(state: AgentState, texts: Texts): { lines: string[]; isGood: boolean } {
  const lines = [
    agentLine(state, texts),
    centreLine(state, texts),
    outboxLine(state, texts),
    configurationLine(state, texts),
    ...recordingLine(state, texts),
    ...diskLines(state, texts),
    ...cameraLines(state, texts),
    ...sensorLines(state, texts),
  ];
  return {
    lines: lines.map(({ level, text }) => `${texts[level]}  ${text}`),
    isGood: lines.every(({ level }) => level !== "fail"),
  };
}

function agentLine({ identity, version, uptimeMs }: AgentState, texts: Texts): Line {
  const text = `${texts.agent} ${identity.agentId}, ${texts.version} ${version}, ${texts.running} ${span(uptimeMs)}`;
  return { level: "ok", text };
}

function centreLine({ centre, atMs }: AgentState, texts: Texts): Line {
  const { isConnected, address, sinceMs } = centre;
  const said = isConnected ? texts.connected : texts.notConnected;
  return {
    level: isConnected ? "ok" : "fail",
    text: `${texts.centre} ${address}: ${said}, ${texts.since} ${span(atMs - sinceMs)}`,
  };
}

function outboxLine({ outbox }: AgentState, texts: Texts): Line {
  const lost = outbox.lost > 0 ? `, ${texts.lost}: ${outbox.lost}` : "";
  return { level: outbox.lost > 0 ? "warn" : "ok", text: `${texts.events}: ${outbox.depth}${lost}` };
}

function configurationLine({ configuration }: AgentState, texts: Texts): Line {
  if (!configuration) return { level: "ok", text: `${texts.configuration}: ${texts.none}` };
  const { revision, state, code, message } = configuration;
  const isRefused = state === "refused";
  const said = isRefused ? [texts.refused, code, message].filter(Boolean).join(" ") : texts.applied;
  return { level: isRefused ? "fail" : "ok", text: `${texts.configuration} ${revision}: ${said}` };
}

function recordingLine({ recording }: AgentState, texts: Texts): Line[] {
  if (!recording) return [];
  const { bytes, maxBytes, shortfallMs = 0 } = recording;
  const used = `${texts.recording}: ${(bytes / GIB).toFixed(1)} / ${(maxBytes / GIB).toFixed(1)} GiB`;
  return shortfallMs > 0
    ? [{ level: "warn", text: `${used}, ${texts.shortfall} ${span(shortfallMs)}` }]
    : [{ level: "ok", text: used }];
}

function diskLines({ disks }: AgentState, texts: Texts): Line[] {
  return disks.map(({ use, freeBytes }) => ({
    level: freeBytes < FULL_BYTES ? "fail" : "ok",
    text: `${texts.disk} (${use}): ${(freeBytes / GIB).toFixed(1)} GiB ${texts.free}`,
  }));
}

function cameraLines(state: AgentState, texts: Texts): Line[] {
  if (state.cameras.length === 0) return [{ level: "ok", text: `${texts.cameras}: ${texts.noCameras}` }];
  return state.cameras.map((camera) => cameraLine(camera, state.atMs, texts));
}

function cameraLine(camera: CameraState, atMs: number, texts: Texts): Line {
  const { condition, code, faults, sinceMs } = camera;
  const since = sinceMs === null ? "" : `${texts.since} ${span(atMs - sinceMs)}`;
  const said = [condition ?? "-", code, ...(faults ?? []).map(({ fault }) => fault)]
    .filter(Boolean)
    .join(" ");
  const streams = camera.streams.map(({ profiles, fps, bitsPerSecond, lastPictureAtMs }) => {
    const old =
      lastPictureAtMs !== null && atMs - lastPictureAtMs > OLD_MS
        ? ` ${texts.lastPicture} ${span(atMs - lastPictureAtMs)} ${texts.ago}`
        : "";
    const rate =
      fps === null || bitsPerSecond === null ? "" : ` ${fps} fps ${Math.round(bitsPerSecond / 1_000)} kbit/s`;
    return `${profiles.join("+")}${rate}${old}`;
  });
  const name = camera.name === null || camera.name === camera.id ? "" : ` (${camera.name})`;
  return {
    level: levelOf(condition),
    text: [`${camera.id ?? camera.address}${name}: ${said}`, since, ...streams].filter(Boolean).join(", "),
  };
}

function levelOf(condition: CameraState["condition"]): Line["level"] {
  if (condition === "online") return "ok";
  return condition === "degraded" || condition === null ? "warn" : "fail";
}

function sensorLines({ sensors }: AgentState, texts: Texts): Line[] {
  const all = sensors?.conditions ?? [];
  const wrong = all.filter(({ condition }) => condition !== null && condition !== "online");
  const total: Line = { level: "ok", text: `${texts.sensors}: ${all.length}` };
  return [
    total,
    ...wrong.map(({ id, condition, code }): Line => {
      return { level: "fail", text: [`${id}:`, condition, code].filter(Boolean).join(" ") };
    }),
  ];
}

/** `90 s`, `12 min`, `5 h`, `3 d`. */
function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000));
  if (s < 120) return `${s} s`;
  if (s < 7_200) return `${Math.round(s / 60)} min`;
  return s < 172_800 ? `${Math.round(s / 3_600)} h` : `${Math.round(s / 86_400)} d`;
}
