import type { AgentCamera, AgentConfig, AgentSensor } from "./agent-config.ts";

/** What is wrong, and where (JSON Pointer). The message never repeats a value. */
export interface ConfigFault {
  readonly path: string;
  readonly message: string;
}

/** What the schema cannot say. null when the configuration makes sense. The first fault only: one is enough to refuse. */
export function checkAgentConfig(config: AgentConfig): ConfigFault | null {
  return (
    checkSite(config) ??
    doubled(config.cameras, "/cameras") ??
    first(config.cameras, "/cameras", checkCamera) ??
    doubled(config.sensors, "/sensors") ??
    first(config.sensors, "/sensors", checkSensor)
  );
}

function checkSite({ site, recording }: AgentConfig): ConfigFault | null {
  const wrong = (site.networks ?? []).findIndex((network) => !isNetwork(network));
  if (wrong >= 0) return { path: `/site/networks/${wrong}`, message: "is no IPv4 or IPv6 network" };
  const { minAgeMs = 0, maxAgeMs = Infinity } = recording ?? {};
  if (minAgeMs > maxAgeMs) return { path: "/recording/maxAgeMs", message: "is below minAgeMs" };
  return null;
}

function checkCamera({ onvif, rtsp, device }: AgentCamera, path: string): ConfigFault | null {
  if ([onvif, rtsp, device].filter((source) => source !== undefined).length !== 1)
    return { path, message: "exactly one of onvif, rtsp and device must be given" };
  if (onvif !== undefined) return checkUrl(onvif, `${path}/onvif`, ["http:", "https:"]);
  for (const [name, url] of Object.entries(rtsp ?? {})) {
    const fault = checkUrl(url, `${path}/rtsp/${name}`, ["rtsp:", "rtsps:"]);
    if (fault) return fault;
  }
  return null;
}

function checkUrl(text: string, path: string, protocols: readonly string[]): ConfigFault | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !protocols.includes(url.protocol) || url.hostname === "")
    return { path, message: `must be a URL that begins with ${protocols.map((p) => `${p}//`).join(" or ")}` };
  if (url.username !== "" || url.password !== "")
    return { path, message: "must hold no account: that is sent apart, sealed" };
  return null;
}

function checkSensor(sensor: AgentSensor, path: string): ConfigFault | null {
  const { datastreams, thresholds = [], source } = sensor;
  const properties = datastreams.map(({ observedProperty }) => observedProperty);
  const twice = properties.findIndex((property, i) => properties.indexOf(property) !== i);
  if (twice >= 0)
    return { path: `${path}/datastreams/${twice}`, message: "has a property that stands there twice" };
  const isModbus = source.kind === "modbus_tcp";
  const stream = first(datastreams, `${path}/datastreams`, ({ pointer, register, min, max }, at) => {
    if (isModbus !== (register !== undefined) || (isModbus && pointer !== undefined))
      return { path: at, message: isModbus ? "needs a register and no pointer" : "cannot have a register" };
    if (!isModbus && pointer !== undefined && pointer !== "" && !pointer.startsWith("/"))
      return { path: `${at}/pointer`, message: "is no JSON Pointer" };
    return (min ?? -Infinity) > (max ?? Infinity) ? { path: `${at}/max`, message: "is below min" } : null;
  });
  return (
    stream ??
    doubled(thresholds, `${path}/thresholds`) ??
    first(thresholds, `${path}/thresholds`, ({ observedProperty, when, limit, clearAt = limit }, at) => {
      if (!properties.includes(observedProperty))
        return { path: `${at}/observedProperty`, message: "is no datastream of this sensor" };
      const isBeyond = when === "above" ? clearAt > limit : clearAt < limit;
      return isBeyond ? { path: `${at}/clearAt`, message: "lies beyond the limit" } : null;
    })
  );
}

function doubled(items: readonly { readonly id: string }[], path: string): ConfigFault | null {
  const seen = new Set<string>();
  for (const [i, { id }] of items.entries()) {
    if (seen.has(id)) return { path: `${path}/${i}/id`, message: "stands there twice" };
    seen.add(id);
  }
  return null;
}

function first<T>(
  items: readonly T[],
  path: string,
  check: (item: T, path: string) => ConfigFault | null,
): ConfigFault | null {
  for (const [i, item] of items.entries()) {
    const fault = check(item, `${path}/${i}`);
    if (fault) return fault;
  }
  return null;
}

function isNetwork(text: string): boolean {
  const [address = "", bits = ""] = text.split("/");
  if (address.includes(":")) return URL.canParse(`http://[${address}]/`) && Number(bits) <= 128;
  const parts = address.split(".");
  return (
    parts.length === 4 &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255) &&
    Number(bits) <= 32
  );
}
