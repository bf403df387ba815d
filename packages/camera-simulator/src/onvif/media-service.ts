/** ONVIF Media (Profile S, Media 2.6) and Media2 (Profile T) services: two profiles, main and sub. Pure. */
import type { VideoStream } from "../source/video-stream.ts";
import type { DeviceContext, OperationInput, OperationTable } from "./device-context.ts";
import { noProfile } from "./soap.ts";
import { escapeXml } from "./xml.ts";
import { parameterOf } from "./device-service.ts";

const SOURCE_TOKEN = "video_source";
const SOURCE_CONFIGURATION_TOKEN = "video_source_config";

interface Profile {
  readonly token: string;
  readonly name: string;
  readonly stream: VideoStream;
  readonly width: number;
  readonly height: number;
  readonly kilobits: number;
}

function profilesOf(context: DeviceContext): Profile[] {
  return [context.main, context.sub].map((stream) => ({
    token: `profile_${stream.name}`,
    name: stream.name === "main" ? "Main stream" : "Sub stream",
    stream,
    width: stream.description?.width ?? 0,
    height: stream.description?.height ?? 0,
    kilobits: stream.name === "main" ? 4000 : 800,
  }));
}

function requireProfile({ context, request }: OperationInput): Profile {
  const token = parameterOf(request, "ProfileToken");
  const profile = profilesOf(context).find((candidate) => candidate.token === token);
  if (!profile) throw noProfile();
  return profile;
}

/** Profiles that a request filters by `Token` (Media2) or `ProfileToken`, all without one. */
function chosenProfiles({ context, request }: OperationInput): Profile[] {
  const token = parameterOf(request, "Token") ?? parameterOf(request, "ProfileToken");
  const profiles = profilesOf(context).filter((profile) => token === undefined || profile.token === token);
  if (profiles.length === 0) throw noProfile();
  return profiles;
}

function sourceConfiguration(context: DeviceContext, tag: string): string {
  const { width = 0, height = 0 } = context.main.description ?? {};
  return (
    `<${tag} token="${SOURCE_CONFIGURATION_TOKEN}"><tt:Name>${SOURCE_CONFIGURATION_TOKEN}</tt:Name><tt:UseCount>2</tt:UseCount>` +
    `<tt:SourceToken>${SOURCE_TOKEN}</tt:SourceToken><tt:Bounds x="0" y="0" width="${width}" height="${height}"/></${tag}>`
  );
}

const MULTICAST =
  "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>";

function encoderConfiguration(profile: Profile, tag: string): string {
  const group = Math.round(profile.stream.fps * 2);
  return (
    `<${tag} token="encoder_${profile.stream.name}"><tt:Name>encoder_${profile.stream.name}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>` +
    `<tt:Resolution><tt:Width>${profile.width}</tt:Width><tt:Height>${profile.height}</tt:Height></tt:Resolution><tt:Quality>5</tt:Quality>` +
    `<tt:RateControl><tt:FrameRateLimit>${Math.round(profile.stream.fps)}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>${profile.kilobits}</tt:BitrateLimit></tt:RateControl>` +
    `<tt:H264><tt:GovLength>${group}</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>${MULTICAST}<tt:SessionTimeout>PT60S</tt:SessionTimeout></${tag}>`
  );
}

/** Media2's form: attributes instead of the H264 element. */
function encoderConfiguration2(profile: Profile, tag: string): string {
  const group = Math.round(profile.stream.fps * 2);
  return (
    `<${tag} token="encoder_${profile.stream.name}" GovLength="${group}" Profile="Main"><tt:Name>encoder_${profile.stream.name}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>` +
    `<tt:Resolution><tt:Width>${profile.width}</tt:Width><tt:Height>${profile.height}</tt:Height></tt:Resolution>` +
    `<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>${Math.round(profile.stream.fps)}</tt:FrameRateLimit><tt:BitrateLimit>${profile.kilobits}</tt:BitrateLimit></tt:RateControl><tt:Quality>5</tt:Quality></${tag}>`
  );
}

function ptzConfiguration(tag: string): string {
  return `<${tag} token="ptz_config"><tt:Name>ptz_config</tt:Name><tt:UseCount>2</tt:UseCount><tt:NodeToken>ptz_node</tt:NodeToken><tt:DefaultPTZTimeout>PT5S</tt:DefaultPTZTimeout></${tag}>`;
}

function profile1(context: DeviceContext, profile: Profile, tag: string): string {
  return (
    `<${tag} token="${profile.token}" fixed="true"><tt:Name>${profile.name}</tt:Name>${sourceConfiguration(context, "tt:VideoSourceConfiguration")}` +
    `${encoderConfiguration(profile, "tt:VideoEncoderConfiguration")}${ptzConfiguration("tt:PTZConfiguration")}</${tag}>`
  );
}

function profile2(context: DeviceContext, profile: Profile): string {
  return (
    `<tr2:Profiles token="${profile.token}" fixed="true"><tr2:Name>${profile.name}</tr2:Name><tr2:Configurations>${sourceConfiguration(context, "tr2:VideoSource")}` +
    `${encoderConfiguration2(profile, "tr2:VideoEncoder")}${ptzConfiguration("tr2:PTZ")}</tr2:Configurations></tr2:Profiles>`
  );
}

function streamUri(input: OperationInput): string {
  const { stream } = requireProfile(input);
  return escapeXml(`rtsp://${new URL(input.base).hostname}:${input.context.rtspPort}/${stream.name}`);
}

function snapshotUri(input: OperationInput): string {
  const { stream } = requireProfile(input);
  return escapeXml(`${input.base}/snapshot/${stream.name}.jpg`);
}

function mediaUri(uri: string): string {
  return `<trt:MediaUri><tt:Uri>${uri}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>`;
}

export const mediaOperations: OperationTable = {
  GetServiceCapabilities: () =>
    '<trt:GetServiceCapabilitiesResponse><trt:Capabilities SnapshotUri="true"><trt:ProfileCapabilities MaximumNumberOfProfiles="2"/><trt:StreamingCapabilities RTPMulticast="false" RTP_TCP="true" RTP_RTSP_TCP="true"/></trt:Capabilities></trt:GetServiceCapabilitiesResponse>',
  GetProfiles: ({ context }) =>
    `<trt:GetProfilesResponse>${profilesOf(context)
      .map((profile) => profile1(context, profile, "trt:Profiles"))
      .join("")}</trt:GetProfilesResponse>`,
  GetProfile: (input) =>
    `<trt:GetProfileResponse>${profile1(input.context, requireProfile(input), "trt:Profile")}</trt:GetProfileResponse>`,
  GetStreamUri: (input) =>
    `<trt:GetStreamUriResponse>${mediaUri(streamUri(input))}</trt:GetStreamUriResponse>`,
  GetSnapshotUri: (input) =>
    `<trt:GetSnapshotUriResponse>${mediaUri(snapshotUri(input))}</trt:GetSnapshotUriResponse>`,
  GetVideoSources: ({ context }) => {
    const { width = 0, height = 0, fps = context.main.fps } = context.main.description ?? {};
    return `<trt:GetVideoSourcesResponse><trt:VideoSources token="${SOURCE_TOKEN}"><tt:Framerate>${fps}</tt:Framerate><tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution></trt:VideoSources></trt:GetVideoSourcesResponse>`;
  },
  GetVideoSourceConfigurations: ({ context }) =>
    `<trt:GetVideoSourceConfigurationsResponse>${sourceConfiguration(context, "trt:Configurations")}</trt:GetVideoSourceConfigurationsResponse>`,
  GetVideoSourceConfiguration: ({ context }) =>
    `<trt:GetVideoSourceConfigurationResponse>${sourceConfiguration(context, "trt:Configuration")}</trt:GetVideoSourceConfigurationResponse>`,
  GetVideoEncoderConfigurations: ({ context }) =>
    `<trt:GetVideoEncoderConfigurationsResponse>${profilesOf(context)
      .map((profile) => encoderConfiguration(profile, "trt:Configurations"))
      .join("")}</trt:GetVideoEncoderConfigurationsResponse>`,
  SetSynchronizationPoint: () => "<trt:SetSynchronizationPointResponse/>",
};

export const media2Operations: OperationTable = {
  GetServiceCapabilities: () =>
    '<tr2:GetServiceCapabilitiesResponse><tr2:Capabilities SnapshotUri="true"><tr2:ProfileCapabilities MaximumNumberOfProfiles="2" ConfigurationsSupported="VideoSource VideoEncoder PTZ"/><tr2:StreamingCapabilities RTSPStreaming="true" RTPMulticast="false" RTP_RTSP_TCP="true"/></tr2:Capabilities></tr2:GetServiceCapabilitiesResponse>',
  GetProfiles: (input) =>
    `<tr2:GetProfilesResponse>${chosenProfiles(input)
      .map((profile) => profile2(input.context, profile))
      .join("")}</tr2:GetProfilesResponse>`,
  GetStreamUri: (input) =>
    `<tr2:GetStreamUriResponse><tr2:Uri>${streamUri(input)}</tr2:Uri></tr2:GetStreamUriResponse>`,
  GetSnapshotUri: (input) =>
    `<tr2:GetSnapshotUriResponse><tr2:Uri>${snapshotUri(input)}</tr2:Uri></tr2:GetSnapshotUriResponse>`,
  GetVideoSourceConfigurations: ({ context }) =>
    `<tr2:GetVideoSourceConfigurationsResponse>${sourceConfiguration(context, "tr2:Configurations")}</tr2:GetVideoSourceConfigurationsResponse>`,
  GetVideoEncoderConfigurations: ({ context }) =>
    `<tr2:GetVideoEncoderConfigurationsResponse>${profilesOf(context)
      .map((profile) => encoderConfiguration2(profile, "tr2:Configurations"))
      .join("")}</tr2:GetVideoEncoderConfigurationsResponse>`,
  SetSynchronizationPoint: () => "<tr2:SetSynchronizationPointResponse/>",
};
