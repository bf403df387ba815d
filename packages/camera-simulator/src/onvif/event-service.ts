/** ONVIF event service with pull points (Core 2.0 §9.2; WS-BaseNotification 1.3 for Renew and Unsubscribe). */
import type { OperationInput, OperationTable } from "./device-context.ts";
import { parameterOf } from "./device-service.ts";
import type { MotionEvent } from "./event-broker.ts";
import { SoapFault, parseDurationMs, soapTime } from "./soap.ts";

const DEFAULT_LIFETIME_MS = 60_000;
const MAX_MESSAGES = 100;
const SUBSCRIPTION_PATH = "/onvif/subscription/";

const DIALECT = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet";
const MOTION_TOPIC = "tns1:RuleEngine/CellMotionDetector/Motion";

function subscriptionId(path: string): string {
  return path.startsWith(SUBSCRIPTION_PATH) ? path.slice(SUBSCRIPTION_PATH.length) : "";
}

const gone = (): SoapFault => new SoapFault("No such subscription", ["ter:InvalidArgVal"]);

function lifetime({ request, context }: OperationInput, name: string): number {
  const text = parameterOf(request, name);
  const ms = text === undefined ? DEFAULT_LIFETIME_MS : parseDurationMs(text, context.nowMs());
  if (ms === undefined || ms <= 0)
    throw new SoapFault("The termination time cannot be read", ["ter:InvalidArgVal"]);
  return ms;
}

function times(nowMs: number, endMs: number, prefix: string): string {
  return `<${prefix}:CurrentTime>${soapTime(nowMs)}</${prefix}:CurrentTime><${prefix}:TerminationTime>${soapTime(endMs)}</${prefix}:TerminationTime>`;
}

function notification(event: MotionEvent): string {
  return (
    `<wsnt:NotificationMessage><wsnt:Topic Dialect="${DIALECT}">${MOTION_TOPIC}</wsnt:Topic><wsnt:Message>` +
    `<tt:Message UtcTime="${new Date(event.atMs).toISOString()}" PropertyOperation="${event.operation}"><tt:Source>` +
    '<tt:SimpleItem Name="VideoSourceConfigurationToken" Value="video_source_config"/><tt:SimpleItem Name="VideoAnalyticsConfigurationToken" Value="analytics"/><tt:SimpleItem Name="Rule" Value="MyMotionDetectorRule"/></tt:Source>' +
    `<tt:Data><tt:SimpleItem Name="IsMotion" Value="${event.isMotion}"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>`
  );
}

const ITEM = (name: string, type: string): string =>
  `<tt:SimpleItemDescription Name="${name}" Type="${type}"/>`;

export const eventOperations: OperationTable = {
  GetServiceCapabilities: () =>
    '<tev:GetServiceCapabilitiesResponse><tev:Capabilities WSSubscriptionPolicySupport="false" WSPullPointSupport="true" WSPausableSubscriptionManagerInterfaceSupport="false" MaxPullPoints="16"/></tev:GetServiceCapabilitiesResponse>',
  GetEventProperties: () =>
    "<tev:GetEventPropertiesResponse><tev:TopicNamespaceLocation>http://www.onvif.org/onvif/ver10/topics/topicns.xml</tev:TopicNamespaceLocation>" +
    '<wsnt:FixedTopicSet>true</wsnt:FixedTopicSet><wstop:TopicSet xmlns:wstop="http://docs.oasis-open.org/wsn/t-1"><tns1:RuleEngine><CellMotionDetector><Motion wstop:topic="true">' +
    `<tt:MessageDescription IsProperty="true"><tt:Source>${ITEM("VideoSourceConfigurationToken", "tt:ReferenceToken")}${ITEM("VideoAnalyticsConfigurationToken", "tt:ReferenceToken")}${ITEM("Rule", "xs:string")}</tt:Source>` +
    `<tt:Data>${ITEM("IsMotion", "xs:boolean")}</tt:Data></tt:MessageDescription></Motion></CellMotionDetector></tns1:RuleEngine></wstop:TopicSet>` +
    `<wsnt:TopicExpressionDialect>${DIALECT}</wsnt:TopicExpressionDialect><tev:MessageContentFilterDialect>http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter</tev:MessageContentFilterDialect>` +
    "<tev:MessageContentSchemaLocation>http://www.onvif.org/onvif/ver10/schema/onvif.xsd</tev:MessageContentSchemaLocation></tev:GetEventPropertiesResponse>",
  CreatePullPointSubscription: (input) => {
    const subscription = input.context.events.subscribe(lifetime(input, "InitialTerminationTime"));
    if (!subscription)
      throw new SoapFault("Too many subscriptions", ["ter:Action", "ter:MaxSubscriptions"], 400);
    return (
      `<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference><wsa:Address>${input.base}${SUBSCRIPTION_PATH}${subscription.id}</wsa:Address></tev:SubscriptionReference>` +
      `${times(input.context.nowMs(), subscription.expiresAtMs, "wsnt")}</tev:CreatePullPointSubscriptionResponse>`
    );
  },
  PullMessages: async ({ context, request, path, signal }) => {
    const timeoutMs = parseDurationMs(parameterOf(request, "Timeout"), context.nowMs()) ?? 0;
    const asked = Number(parameterOf(request, "MessageLimit") ?? MAX_MESSAGES);
    const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, MAX_MESSAGES) : MAX_MESSAGES;
    const pulled = await context.events.pull(subscriptionId(path), limit, timeoutMs, signal);
    if (!pulled) throw gone();
    return `<tev:PullMessagesResponse>${times(context.nowMs(), pulled.expiresAtMs, "tev")}${pulled.events.map(notification).join("")}</tev:PullMessagesResponse>`;
  },
  SetSynchronizationPoint: ({ context, path }) => {
    if (!context.events.resend(subscriptionId(path))) throw gone();
    return "<tev:SetSynchronizationPointResponse/>";
  },
  Renew: (input) => {
    const endMs = input.context.events.renew(subscriptionId(input.path), lifetime(input, "TerminationTime"));
    if (endMs === undefined) throw gone();
    const { nowMs } = input.context;
    return `<wsnt:RenewResponse><wsnt:TerminationTime>${soapTime(endMs)}</wsnt:TerminationTime><wsnt:CurrentTime>${soapTime(nowMs())}</wsnt:CurrentTime></wsnt:RenewResponse>`;
  },
  Unsubscribe: ({ context, path }) => {
    if (!context.events.unsubscribe(subscriptionId(path))) throw gone();
    return "<wsnt:UnsubscribeResponse/>";
  },
};
