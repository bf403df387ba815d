import cookie from "@fastify/cookie";
import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import { ErrorBodySchema } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import Fastify, { type FastifyBaseLogger, type FastifyServerOptions, LogController } from "fastify";
import type { AlarmStore } from "../../application/alarms.ts";
import type { AgentCommands } from "../../application/agent-commands.ts";
import type { CameraStore } from "../../application/cameras.ts";
import type { GroundPlanes } from "../../application/ground-planes.ts";
import type { ZonesAndRules } from "../../application/zones-and-rules.ts";
import type { App } from "./app-type.ts";
import { authoriseRoutes } from "./authorise.ts";
import { answerNotFound, serveDashboard } from "./dashboard-files.ts";
import { answerTo } from "./errors.ts";
import { openApiOptions } from "./openapi-options.ts";
import { addAgentControlRoutes, type AgentControlRouteParts } from "./routes/agent-control-routes.ts";
import { addAgentRoutes, type AgentRouteParts } from "./routes/agent-routes.ts";
import { addAlarmRoutes } from "./routes/alarm-routes.ts";
import { addAnalyticsRoutes } from "./routes/analytics-routes.ts";
import { addAreaRoutes } from "./routes/area-routes.ts";
import { addCameraRoutes, addRuleRoutes, addZoneRoutes } from "./routes/camera-routes.ts";
import { addClipRoutes, type ClipRouteParts } from "./routes/clip-routes.ts";
import { addUploadRoutes } from "./routes/upload-routes.ts";
import type { AgentUploads } from "../../application/agent-uploads.ts";
import { addControlRoutes } from "./routes/control-routes.ts";
import { addDeviceRecordRoutes } from "./routes/device-record-routes.ts";
import { addGroundPlaneRoutes } from "./routes/ground-plane-routes.ts";
import { addSiteCategoryRoutes } from "./routes/site-category-routes.ts";
import { addIdentityRoutes, type IdentityRouteParts } from "./routes/identity-routes.ts";
import { addOperationRoutes, type OperationRouteParts } from "./routes/operation-routes.ts";
import { addDeviceRoutes, addPerceptionRoutes, type QuestionRouteParts } from "./routes/question-routes.ts";
import { addRehearsalRoutes, type RehearsalRouteParts } from "./routes/rehearsal-routes.ts";
import { addStatisticsRoutes } from "./routes/statistics-routes.ts";
import {
  addDeadLetterRoutes,
  addLegalHoldRoutes,
  addRetentionRoutes,
  type StoreRouteParts,
} from "./routes/store-routes.ts";
import { securityHeaders } from "./security-headers.ts";

export interface AppParts {
  readonly identity: IdentityRouteParts;
  readonly cameras: CameraStore;
  readonly zonesAndRules: ZonesAndRules;
  readonly rehearsals: RehearsalRouteParts;
  readonly groundPlanes: GroundPlanes;
  readonly alarms: AlarmStore;
  readonly agents: AgentRouteParts;
  readonly commands: AgentCommands;
  readonly clips: ClipRouteParts;
  readonly uploads: AgentUploads;
  readonly agentControl: AgentControlRouteParts;
  /** PEM; without it plain HTTP is spoken. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer } | undefined;
  readonly questions: QuestionRouteParts;
  readonly store: StoreRouteParts;
  readonly operation: OperationRouteParts;
  readonly logger: FastifyBaseLogger;
  readonly dashboardDir: string;
  readonly publicOrigin: string | null;
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
}

const BODY_LIMIT_BYTES = 256 * 1024;

/** The HTTP side: plugins, one authorisation hook, routes. Load order is the layout. */
export async function buildApp(parts: AppParts): Promise<App> {
  const app: App = Fastify({
    ...(parts.tls && { https: { ...parts.tls, minVersion: "TLSv1.2" as const } }),
    loggerInstance: parts.logger,
    // Our own line below names the route's pattern: a query or an id never reaches the log.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: 15_000,
    connectionTimeout: 60_000,
    keepAliveTimeout: 10_000,
    forceCloseConnections: true,
    trustProxy: parts.trustedProxies.length === 0 ? false : [...parts.trustedProxies],
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 100 },
  } as FastifyServerOptions & {
    readonly loggerInstance: FastifyBaseLogger;
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  // Rows are shaped by the stores' own mappers; a second, schema-driven serialiser would only hide their faults.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.addSchema(ErrorBodySchema);
  addErrorAnswers(app);
  logAnswers(app);

  await app.register(helmet, securityHeaders(parts.publicOrigin?.startsWith("https:") ?? false));
  await app.register(cookie);
  await app.register(swagger, openApiOptions(parts.identity.version));
  authoriseRoutes(app, { identity: parts.identity.identity, publicOrigin: parts.publicOrigin });
  await app.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_request, context) =>
      new HuishiError("RATE_LIMITED", `Too many attempts; try again in ${Math.ceil(context.ttl / 1000)} s.`, {
        details: { retryAfterMs: context.ttl },
      }),
  });

  addIdentityRoutes(app, parts.identity);
  addCameraRoutes(app, parts.cameras, parts.store.retention.names);
  addZoneRoutes(app, parts.zonesAndRules);
  addRuleRoutes(app, parts.zonesAndRules);
  addRehearsalRoutes(app, parts.rehearsals);
  addGroundPlaneRoutes(app, parts.groundPlanes);
  addAlarmRoutes(app, parts.alarms);
  addAgentRoutes(app, parts.agents);
  addControlRoutes(app, parts.commands);
  addClipRoutes(app, parts.clips);
  addUploadRoutes(app, parts.uploads);
  addAgentControlRoutes(app, parts.agentControl);
  addPerceptionRoutes(app, parts.questions);
  addStatisticsRoutes(app, parts.questions.statistics);
  addDeviceRoutes(app, parts.questions);
  addAreaRoutes(app, parts.store.areas);
  addDeviceRecordRoutes(app, parts.store.deviceRecords);
  addSiteCategoryRoutes(app, parts.store.siteCategories);
  addDeadLetterRoutes(app, parts.store.deadLetters);
  addRetentionRoutes(app, parts.store);
  addAnalyticsRoutes(app, parts.store.analytics);
  addLegalHoldRoutes(app, parts.store);
  addOperationRoutes(app, parts.operation);
  await serveDashboard(app, parts.dashboardDir);
  app.setNotFoundHandler(answerNotFound);
  return app;
}

function addErrorAnswers(app: App): void {
  app.setErrorHandler((thrown, request, reply) => {
    const answer = answerTo(thrown);
    if (answer.isFault) request.log.error({ err: thrown, route: request.routeOptions.url }, "request failed");
    const retryAfterMs = answer.body.details?.["retryAfterMs"];
    if (typeof retryAfterMs === "number") void reply.header("retry-after", Math.ceil(retryAfterMs / 1000));
    return reply
      .code(answer.status)
      .header("cache-control", "no-store")
      .type("application/json")
      .send(answer.body);
  });
}

function logAnswers(app: App): void {
  app.addHook("onSend", (request, reply, payload, done) => {
    // What the API says is for this person now; no cache keeps it.
    if (request.url.startsWith("/api/") && !reply.hasHeader("cache-control")) {
      void reply.header("cache-control", "no-store");
    }
    done(null, payload);
  });
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "(none)";
    const elapsedMs = Math.round(reply.elapsedTime);
    request.log.debug({ method: request.method, route, status: reply.statusCode, elapsedMs }, "answered");
    done();
  });
}
