import { WsDiscovery } from "../../adapters/ws-discovery/ws-discovery.ts";
import { plainText, type Terminal } from "../terminal.ts";

/** Lists the ONVIF devices that answer a probe. Nothing is adopted, nothing is signed in to. */
export async function scan(terminal: Terminal): Promise<number> {
  const { texts, interfaceAddress, isJson } = terminal;
  terminal.tell(`${texts.scanning}\n`);
  const devices = await new WsDiscovery({ interfaceAddress }).probe(terminal.signal);
  if (isJson) {
    terminal.print(JSON.stringify(devices));
    return 0;
  }
  for (const { onvifUrl, name, hardware, endpoint } of devices) {
    terminal.print([onvifUrl, name ?? "-", hardware ?? "-", endpoint].map(plainText).join("  "));
  }
  terminal.print(devices.length === 0 ? texts.nothingFound : `${devices.length} ${texts.found}`);
  return 0;
}
