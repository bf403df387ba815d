/** ONVIF Device service (ONVIF Core 2.0 §8). Pure: request in, body out. */
import { type XmlElement, childText, escapeXml } from "./xml.ts";
import type { OperationTable } from "./device-context.ts";

/** Operations of access class PRE_AUTH (Core §5.9.4.3): a client needs them before it can sign in. */
export const PRE_AUTH_OPERATIONS = new Set([
  "GetSystemDateAndTime",
  "GetCapabilities",
  "GetServices",
  "GetServiceCapabilities",
  "GetHostname",
  "GetWsdlUrl",
  "GetEndpointReference",
]);

const SERVICES = [
  ["http://www.onvif.org/ver10/device/wsdl", "device_service", 2, 60],
  ["http://www.onvif.org/ver10/media/wsdl", "media_service", 2, 60],
  ["http://www.onvif.org/ver20/media/wsdl", "media2_service", 2, 60],
  ["http://www.onvif.org/ver10/events/wsdl", "event_service", 2, 60],
  ["http://www.onvif.org/ver20/ptz/wsdl", "ptz_service", 2, 60],
] as const;

export function scopesOf(name: string, model: string): string[] {
  const base = "onvif://www.onvif.org";
  return [
    `${base}/type/video_encoder`,
    `${base}/type/Network_Video_Transmitter`,
    `${base}/type/ptz`,
    `${base}/Profile/Streaming`,
    `${base}/Profile/T`,
    `${base}/hardware/${encodeURIComponent(model)}`,
    `${base}/name/${encodeURIComponent(name)}`,
    `${base}/location/simulated`,
  ];
}

function dateAndTime(ms: number): string {
  const date = new Date(ms);
  return (
    `<tt:Time><tt:Hour>${date.getUTCHours()}</tt:Hour><tt:Minute>${date.getUTCMinutes()}</tt:Minute><tt:Second>${date.getUTCSeconds()}</tt:Second></tt:Time>` +
    `<tt:Date><tt:Year>${date.getUTCFullYear()}</tt:Year><tt:Month>${date.getUTCMonth() + 1}</tt:Month><tt:Day>${date.getUTCDate()}</tt:Day></tt:Date>`
  );
}

function capabilities(base: string): string {
  return (
    `<tt:Device><tt:XAddr>${base}/onvif/device_service</tt:XAddr></tt:Device>` +
    `<tt:Events><tt:XAddr>${base}/onvif/event_service</tt:XAddr><tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport>` +
    "<tt:WSPullPointSupport>true</tt:WSPullPointSupport><tt:WSPausableSubscriptionManagerInterfaceSupport>false</tt:WSPausableSubscriptionManagerInterfaceSupport></tt:Events>" +
    `<tt:Media><tt:XAddr>${base}/onvif/media_service</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast>` +
    "<tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>" +
    `<tt:PTZ><tt:XAddr>${base}/onvif/ptz_service</tt:XAddr></tt:PTZ>`
  );
}

function service([namespace, path, major, minor]: (typeof SERVICES)[number], base: string): string {
  return (
    `<tds:Service><tds:Namespace>${namespace}</tds:Namespace><tds:XAddr>${base}/onvif/${path}</tds:XAddr>` +
    `<tds:Version><tt:Major>${major}</tt:Major><tt:Minor>${minor}</tt:Minor></tds:Version></tds:Service>`
  );
}

/** A locally administered MAC address out of the serial number's characters. */
function macAddress(serial: string): string {
  let hash = 0x811c9dc5;
  for (const letter of serial) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
  const hex = hash.toString(16).padStart(8, "0");
  return `02:00:${hex.match(/../g)?.join(":")}`;
}

export const deviceOperations: OperationTable = {
  GetSystemDateAndTime: ({ context }) =>
    "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>" +
    `<tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime>${dateAndTime(context.nowMs())}</tt:UTCDateTime>` +
    "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>",
  GetDeviceInformation: ({ context }) =>
    `<tds:GetDeviceInformationResponse><tds:Manufacturer>${escapeXml(context.manufacturer)}</tds:Manufacturer><tds:Model>${escapeXml(context.model)}</tds:Model>` +
    `<tds:FirmwareVersion>1.0.0-simulated</tds:FirmwareVersion><tds:SerialNumber>${escapeXml(context.serial)}</tds:SerialNumber>` +
    "<tds:HardwareId>simulator</tds:HardwareId></tds:GetDeviceInformationResponse>",
  GetCapabilities: ({ base }) =>
    `<tds:GetCapabilitiesResponse><tds:Capabilities>${capabilities(base)}</tds:Capabilities></tds:GetCapabilitiesResponse>`,
  GetServices: ({ base }) =>
    `<tds:GetServicesResponse>${SERVICES.map((entry) => service(entry, base)).join("")}</tds:GetServicesResponse>`,
  GetServiceCapabilities: () =>
    '<tds:GetServiceCapabilitiesResponse><tds:Capabilities><tds:Network/><tds:Security UsernameToken="true" HttpDigest="false"/><tds:System DiscoveryResolve="true"/></tds:Capabilities></tds:GetServiceCapabilitiesResponse>',
  GetScopes: ({ context }) =>
    `<tds:GetScopesResponse>${scopesOf(context.name, context.model)
      .map(
        (scope) =>
          `<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>${escapeXml(scope)}</tt:ScopeItem></tds:Scopes>`,
      )
      .join("")}</tds:GetScopesResponse>`,
  GetHostname: ({ context }) =>
    `<tds:GetHostnameResponse><tds:HostnameInformation><tt:FromDHCP>false</tt:FromDHCP><tt:Name>${escapeXml(context.serial)}</tt:Name></tds:HostnameInformation></tds:GetHostnameResponse>`,
  GetNetworkInterfaces: ({ context, base }) =>
    `<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled><tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>${macAddress(context.serial)}</tt:HwAddress><tt:MTU>1500</tt:MTU></tt:Info>` +
    `<tt:IPv4><tt:Enabled>true</tt:Enabled><tt:Config><tt:Manual><tt:Address>${escapeXml(new URL(base).hostname)}</tt:Address><tt:PrefixLength>24</tt:PrefixLength></tt:Manual><tt:DHCP>false</tt:DHCP></tt:Config></tt:IPv4>` +
    "</tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>",
  GetEndpointReference: ({ context }) =>
    `<tds:GetEndpointReferenceResponse><tds:GUID>${context.endpointAddress}</tds:GUID></tds:GetEndpointReferenceResponse>`,
  GetDiscoveryMode: () =>
    "<tds:GetDiscoveryModeResponse><tds:DiscoveryMode>Discoverable</tds:DiscoveryMode></tds:GetDiscoveryModeResponse>",
  GetNTP: () =>
    "<tds:GetNTPResponse><tds:NTPInformation><tt:FromDHCP>false</tt:FromDHCP></tds:NTPInformation></tds:GetNTPResponse>",
  GetUsers: ({ context }) =>
    `<tds:GetUsersResponse>${context.username === undefined ? "" : `<tds:User><tt:Username>${escapeXml(context.username)}</tt:Username><tt:UserLevel>Administrator</tt:UserLevel></tds:User>`}</tds:GetUsersResponse>`,
};

/** The text of a parameter of the request; undefined when it is absent or empty. */
export function parameterOf(element: XmlElement, name: string): string | undefined {
  return childText(element, name) || undefined;
}
