/** ONVIF PTZ service 2.6: moves are logged and followed by a simple model of the motors. */
import type { OperationTable } from "./device-context.ts";
import { parameterOf } from "./device-service.ts";
import { PRESETS, type PtzVector } from "./ptz-state.ts";
import { SoapFault, parseDurationMs } from "./soap.ts";
import { type XmlElement, child } from "./xml.ts";

const DEFAULT_TIMEOUT_MS = 5000;
const MAX_TIMEOUT_MS = 60_000;

function numberAttribute(element: XmlElement | undefined, name: string): number | undefined {
  const text = element?.attributes.get(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || Math.abs(value) > 1) {
    throw new SoapFault("A coordinate is outside -1..1", ["ter:InvalidArgVal", "ter:InvalidPosition"]);
  }
  return value;
}

/** `<PanTilt x y/><Zoom x/>` inside Velocity, Position or Translation; what is not named stays. */
function vectorOf(request: XmlElement, name: string): Partial<PtzVector> {
  const element = child(request, name);
  const pan = numberAttribute(child(element, "PanTilt"), "x");
  const tilt = numberAttribute(child(element, "PanTilt"), "y");
  const zoom = numberAttribute(child(element, "Zoom"), "x");
  return {
    ...(pan === undefined ? {} : { pan }),
    ...(tilt === undefined ? {} : { tilt }),
    ...(zoom === undefined ? {} : { zoom }),
  };
}

const range = (tag: string, min: number): string =>
  `<tt:${tag}><tt:Min>${min}</tt:Min><tt:Max>1</tt:Max></tt:${tag}>`;
const SPACE = "http://www.onvif.org/ver10/tptz";
const space2 = (tag: string, uri: string): string =>
  `<tt:${tag}><tt:URI>${SPACE}/${uri}</tt:URI>${range("XRange", -1)}${range("YRange", -1)}</tt:${tag}>`;
const space1 = (tag: string, uri: string, min: number): string =>
  `<tt:${tag}><tt:URI>${SPACE}/${uri}</tt:URI>${range("XRange", min)}</tt:${tag}>`;
const SPACES =
  space2("AbsolutePanTiltPositionSpace", "PanTiltSpaces/PositionGenericSpace") +
  space1("AbsoluteZoomPositionSpace", "ZoomSpaces/PositionGenericSpace", 0) +
  space2("RelativePanTiltTranslationSpace", "PanTiltSpaces/TranslationGenericSpace") +
  space1("RelativeZoomTranslationSpace", "ZoomSpaces/TranslationGenericSpace", -1) +
  space2("ContinuousPanTiltVelocitySpace", "PanTiltSpaces/VelocityGenericSpace") +
  space1("ContinuousZoomVelocitySpace", "ZoomSpaces/VelocityGenericSpace", -1);

const NODE = (tag: string): string =>
  `<${tag} token="ptz_node" FixedHomePosition="true"><tt:Name>ptz_node</tt:Name><tt:SupportedPTZSpaces>${SPACES}</tt:SupportedPTZSpaces>` +
  `<tt:MaximumNumberOfPresets>${PRESETS.size}</tt:MaximumNumberOfPresets><tt:HomeSupported>true</tt:HomeSupported></${tag}>`;

const CONFIGURATION = (tag: string): string =>
  `<${tag} token="ptz_config"><tt:Name>ptz_config</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>ptz_node</tt:NodeToken><tt:DefaultPTZTimeout>PT5S</tt:DefaultPTZTimeout></${tag}>`;

function vectorXml({ pan, tilt, zoom }: PtzVector): string {
  return `<tt:PanTilt x="${pan.toFixed(4)}" y="${tilt.toFixed(4)}"/><tt:Zoom x="${zoom.toFixed(4)}"/>`;
}

export const ptzOperations: OperationTable = {
  GetServiceCapabilities: () =>
    '<tptz:GetServiceCapabilitiesResponse><tptz:Capabilities MoveStatus="true" StatusPosition="true"/></tptz:GetServiceCapabilitiesResponse>',
  GetNodes: () => `<tptz:GetNodesResponse>${NODE("tptz:PTZNode")}</tptz:GetNodesResponse>`,
  GetNode: () => `<tptz:GetNodeResponse>${NODE("tptz:PTZNode")}</tptz:GetNodeResponse>`,
  GetConfigurations: () =>
    `<tptz:GetConfigurationsResponse>${CONFIGURATION("tptz:PTZConfiguration")}</tptz:GetConfigurationsResponse>`,
  GetConfiguration: () =>
    `<tptz:GetConfigurationResponse>${CONFIGURATION("tptz:PTZConfiguration")}</tptz:GetConfigurationResponse>`,
  GetConfigurationOptions: () =>
    `<tptz:GetConfigurationOptionsResponse><tptz:PTZConfigurationOptions><tt:Spaces>${SPACES}</tt:Spaces><tt:PTZTimeout><tt:Min>PT1S</tt:Min><tt:Max>PT60S</tt:Max></tt:PTZTimeout></tptz:PTZConfigurationOptions></tptz:GetConfigurationOptionsResponse>`,
  ContinuousMove: ({ context, request }) => {
    const timeoutMs = parseDurationMs(parameterOf(request, "Timeout"), context.nowMs()) ?? DEFAULT_TIMEOUT_MS;
    context.ptz.moveContinuously(vectorOf(request, "Velocity"), Math.min(timeoutMs, MAX_TIMEOUT_MS));
    return "<tptz:ContinuousMoveResponse/>";
  },
  RelativeMove: ({ context, request }) => {
    context.ptz.moveBy(vectorOf(request, "Translation"));
    return "<tptz:RelativeMoveResponse/>";
  },
  AbsoluteMove: ({ context, request }) => {
    context.ptz.moveTo(vectorOf(request, "Position"));
    return "<tptz:AbsoluteMoveResponse/>";
  },
  Stop: ({ context }) => {
    context.ptz.stop();
    return "<tptz:StopResponse/>";
  },
  GotoHomePosition: ({ context }) => {
    context.ptz.moveHome();
    return "<tptz:GotoHomePositionResponse/>";
  },
  GotoPreset: ({ context, request }) => {
    if (!context.ptz.moveToPreset(parameterOf(request, "PresetToken") ?? ""))
      throw new SoapFault("No such preset", ["ter:InvalidArgVal", "ter:NoToken"]);
    return "<tptz:GotoPresetResponse/>";
  },
  GetPresets: () =>
    `<tptz:GetPresetsResponse>${[...PRESETS]
      .map(
        ([token, preset]) =>
          `<tptz:Preset token="${token}"><tt:Name>${preset.name}</tt:Name><tt:PTZPosition>${vectorXml(preset)}</tt:PTZPosition></tptz:Preset>`,
      )
      .join("")}</tptz:GetPresetsResponse>`,
  GetStatus: ({ context }) => {
    const state = context.ptz.isMoving ? "MOVING" : "IDLE";
    return (
      `<tptz:GetStatusResponse><tptz:PTZStatus><tt:Position>${vectorXml(context.ptz.position)}</tt:Position><tt:MoveStatus><tt:PanTilt>${state}</tt:PanTilt><tt:Zoom>${state}</tt:Zoom></tt:MoveStatus>` +
      `<tt:UtcTime>${new Date(context.nowMs()).toISOString()}</tt:UtcTime></tptz:PTZStatus></tptz:GetStatusResponse>`
    );
  },
};
