import { lookup } from "node:dns/promises";
import { requestJson } from "../../adapters/http/json-request.ts";
import { authorityOf, serverUrlOf } from "../../compose-centre.ts";
import type { EdgeAgentConfig } from "../../config.ts";
import { IdentityFile } from "../../adapters/state-files/identity-file.ts";
import { type Check, check, doubtful, failed, fine } from "./finding.ts";
import { connectTo } from "./tcp.ts";

/** An HTTP date has whole seconds; what is below this says nothing. */
const CLOCK_WARN_MS = 2_000;
const CLOCK_FAIL_MS = 60_000;

const UNREACHABLE = {
  en: "SERVER_UNREACHABLE: check cable, gateway, firewall and serverUrl",
  zh: "SERVER_UNREACHABLE：检查网线、网关、防火墙和 serverUrl",
};
const CLOCK = { en: "set this machine's clock (NTP)", zh: "校准本机时钟（NTP）" };

export function centreChecks(config: EdgeAgentConfig): Check[] {
  const url = new URL("/api/v1/server", serverUrlOf(config));
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return [
    check("name of the centre", { en: "check the name and DNS", zh: "检查域名和 DNS" }, async () => {
      const { address } = await lookup(host);
      return fine(`${host} is ${address}`);
    }),
    check("centre over HTTP", UNREACHABLE, async (signal) => {
      const startedAtMs = performance.now();
      const { status } = await requestJson({ url, ca: await authorityOf(config) }, signal);
      const tookMs = Math.round(performance.now() - startedAtMs);
      return status === 200 ? fine(`answers after ${tookMs} ms`) : failed(`status ${status}`, UNREACHABLE);
    }),
    check("clock against the centre", UNREACHABLE, async (signal) => {
      const { date } = await requestJson({ url, ca: await authorityOf(config) }, signal);
      return judgeClock(Date.parse(date ?? ""), Date.now());
    }),
    check("centre over MQTT", UNREACHABLE, (signal) => reachMqtt(config, signal)),
  ];
}

/** `centreMs` is cut to the second: its middle is what it most likely was. */
export function judgeClock(centreMs: number, ownMs: number): ReturnType<typeof fine> {
  if (Number.isNaN(centreMs)) return doubtful("the centre told no time", CLOCK);
  const offMs = ownMs - (centreMs + 500);
  const saw = `${offMs > 0 ? "ahead" : "behind"} by about ${(Math.abs(offMs) / 1000).toFixed(1)} s`;
  if (Math.abs(offMs) >= CLOCK_FAIL_MS) return failed(saw, CLOCK);
  return Math.abs(offMs) >= CLOCK_WARN_MS ? doubtful(saw, CLOCK) : fine(saw);
}

async function reachMqtt(config: EdgeAgentConfig, signal: AbortSignal) {
  const mqttUrl = config.mqttUrl ?? (await new IdentityFile(config.stateDir).load())?.mqttUrl;
  if (mqttUrl === undefined) {
    return doubtful("its address is known after the claim", { en: "claim this agent", zh: "请先认领" });
  }
  const url = new URL(mqttUrl);
  const port = Number(url.port) || (url.protocol === "mqtts:" ? 8883 : 1883);
  const ms = await connectTo({ host: url.hostname.replace(/^\[|\]$/g, ""), port, signal });
  return fine(`${url.hostname}:${port} answers after ${ms} ms`);
}
