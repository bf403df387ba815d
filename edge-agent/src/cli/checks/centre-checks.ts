import { lookup } from "node:dns/promises";
import { requestJson } from "../../adapters/http/json-request.ts";
import { authorityOf, serverUrlOf } from "../../compose-centre.ts";
import type { EdgeAgentConfig } from "../../config.ts";
import { IdentityFile } from "../../adapters/state-files/identity-file.ts";
import { type Check, check, doubtful, failed, fine, words } from "./finding.ts";
import { answered, connectTo } from "./tcp.ts";

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
    check(
      words("name of the centre", "中心域名"),
      { en: "check the name and DNS", zh: "检查域名和 DNS" },
      async () => {
        const { address } = await lookup(host);
        return fine(words(`${host} is ${address}`, `${host} 的地址是 ${address}`));
      },
    ),
    check(words("centre over HTTP", "中心（HTTP）"), UNREACHABLE, async (signal) => {
      const startedAtMs = performance.now();
      const { status } = await requestJson({ url, ca: await authorityOf(config) }, signal);
      const tookMs = Math.round(performance.now() - startedAtMs);
      return status === 200
        ? fine(words(`answers after ${tookMs} ms`, `${tookMs} 毫秒后应答`))
        : failed(words(`status ${status}`, `状态码 ${status}`), UNREACHABLE);
    }),
    check(words("clock against the centre", "与中心的时钟差"), UNREACHABLE, async (signal) => {
      const { date } = await requestJson({ url, ca: await authorityOf(config) }, signal);
      return judgeClock(Date.parse(date ?? ""), Date.now());
    }),
    check(words("centre over MQTT", "中心（MQTT）"), UNREACHABLE, (signal) => reachMqtt(config, signal)),
  ];
}

/** `centreMs` is cut to the second: its middle is what it most likely was. */
export function judgeClock(centreMs: number, ownMs: number): ReturnType<typeof fine> {
  if (Number.isNaN(centreMs)) return doubtful(words("the centre told no time", "中心没有给出时间"), CLOCK);
  const offMs = ownMs - (centreMs + 500);
  const seconds = (Math.abs(offMs) / 1000).toFixed(1);
  const saw = words(
    `${offMs > 0 ? "ahead" : "behind"} by about ${seconds} s`,
    `约${offMs > 0 ? "快" : "慢"} ${seconds} 秒`,
  );
  if (Math.abs(offMs) >= CLOCK_FAIL_MS) return failed(saw, CLOCK);
  return Math.abs(offMs) >= CLOCK_WARN_MS ? doubtful(saw, CLOCK) : fine(saw);
}

async function reachMqtt(config: EdgeAgentConfig, signal: AbortSignal) {
  const mqttUrl = config.mqttUrl ?? (await new IdentityFile(config.stateDir).load())?.mqttUrl;
  if (mqttUrl === undefined) {
    return doubtful(
      words("its address is known after the claim", "认领后才知道其地址"),
      words("claim this agent", "请先认领"),
    );
  }
  const url = new URL(mqttUrl);
  const port = Number(url.port) || (url.protocol === "mqtts:" ? 8883 : 1883);
  const ms = await connectTo({ host: url.hostname.replace(/^\[|\]$/g, ""), port, signal });
  return answered(`${url.hostname}:${port}`, ms);
}
