import {
  AgentConfigRecordSchema,
  AgentConfigUpdate,
  AgentDetailSchema,
  type AgentMetrics,
  AgentMetricsSchema,
  CommandResult,
  CredentialRequest,
  MAX_AGENT_CONFIG_BYTES,
  ScanRequest,
  SecretChange,
} from "@huishi/contracts";
import { type AgentCommands, requireDone } from "../../../application/agent-commands.ts";
import type { AgentControl } from "../../../application/agent-control.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, IdParams, NoContent } from "../schemas.ts";

export interface AgentControlRouteParts {
  readonly control: AgentControl;
  readonly commands: AgentCommands;
  readonly attemptsPerMinute: number;
}

/** One agent: what it is told, what it says of that, and whether it still belongs to us. */
export function addAgentControlRoutes(app: App, parts: AgentControlRouteParts): void {
  addConfigRoutes(app, parts);
  addTrustRoutes(app, parts);
  addCredentialRoutes(app, parts);
  addMetricsRoute(app, parts);
  addScanRoute(app, parts);
}

/** A scan of 1,024 addresses at the agent's pace. */
const SCAN_MS = 150_000;

function addScanRoute(app: App, { commands }: AgentControlRouteParts): void {
  app.post(
    "/api/v1/agents/:id/scan",
    {
      schema: {
        tags,
        summary:
          "Have an agent look for devices in networks of its site; what it finds is in quarantine (found-devices)",
        params: IdParams,
        body: ScanRequest,
        response: { 200: CommandResult, ...errorResponses },
      },
    },
    async (request) => {
      const by = sessionOf(request).user.userName;
      const body = { kind: "scan", ...request.body } as const;
      const options = { validMs: SCAN_MS, waitMs: SCAN_MS, by };
      return { result: requireDone(await commands.send(request.params.id, body, options)) };
    },
  );
}

const tags = ["agents"];

function addConfigRoutes(app: App, { control }: AgentControlRouteParts): void {
  app.get(
    "/api/v1/agents/:id",
    {
      schema: {
        tags,
        summary: "One agent: its last status, its keys' names and digests",
        params: IdParams,
        response: { 200: AgentDetailSchema, ...errorResponses },
      },
    },
    ({ params }) => control.detail(params.id),
  );
  app.get(
    "/api/v1/agents/:id/config",
    {
      schema: {
        tags,
        summary: "An agent's configuration, and whether the agent applied or refused it",
        params: IdParams,
        response: { 200: AgentConfigRecordSchema, ...errorResponses },
      },
    },
    ({ params }) => control.config(params.id),
  );
  app.put(
    "/api/v1/agents/:id/config",
    {
      bodyLimit: MAX_AGENT_CONFIG_BYTES,
      schema: {
        tags,
        summary: "Change an agent's configuration; names the revision that it was made from",
        params: IdParams,
        body: AgentConfigUpdate,
        response: { 200: AgentConfigRecordSchema, ...errorResponses },
      },
    },
    (request) =>
      control.changeConfig(request.params.id, { ...request.body, by: sessionOf(request).user.userName }),
  );
}

function addTrustRoutes(app: App, { control, attemptsPerMinute }: AgentControlRouteParts): void {
  app.post(
    "/api/v1/agents/:id/revoke",
    {
      schema: {
        tags,
        summary: "Revoke an agent: cut off within five seconds, for good",
        params: IdParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async ({ params }, reply) => {
      await control.revoke(params.id);
      return reply.code(204).send(null);
    },
  );
  app.post(
    "/api/v1/agents/:id/rotate-secret",
    {
      schema: {
        tags,
        summary: "Have an agent make a new secret; nobody else ever sees it",
        params: IdParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async (request, reply) => {
      await control.rotateSecret(request.params.id, sessionOf(request).user.userName);
      return reply.code(204).send(null);
    },
  );
  app.post(
    "/api/v1/agents/:id/secret",
    {
      config: { rateLimit: { max: attemptsPerMinute, timeWindow: 60_000 } },
      schema: {
        tags,
        summary: "For agents: the digest of a new secret, signed by the agent's key",
        params: IdParams,
        body: SecretChange,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async ({ params, body }, reply) => {
      await control.changeSecret(params.id, body);
      return reply.code(204).send(null);
    },
  );
}

function addMetricsRoute(app: App, { commands }: AgentControlRouteParts): void {
  app.get(
    "/api/v1/agents/:id/metrics",
    {
      schema: {
        tags,
        summary: "Ask an agent for its numbers of this moment",
        params: IdParams,
        response: { 200: AgentMetricsSchema, ...errorResponses },
      },
    },
    async (request) => {
      const by = sessionOf(request).user.userName;
      const reply = await commands.send(request.params.id, { kind: "metrics" }, { by });
      return requireDone(reply) as unknown as AgentMetrics;
    },
  );
}

function addCredentialRoutes(app: App, { control, commands }: AgentControlRouteParts): void {
  app.put(
    "/api/v1/cameras/:id/credential",
    {
      schema: {
        tags: ["cameras"],
        summary: "Give a camera's account to its agent, sealed; it can be read back nowhere",
        params: IdParams,
        body: CredentialRequest,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async (request, reply) => {
      const cameraId = request.params.id;
      const agentId = await commands.agentOfCamera(cameraId);
      const by = sessionOf(request).user.userName;
      await control.setCredential({ agentId, cameraId, by }, request.body);
      return reply.code(204).send(null);
    },
  );
  app.delete(
    "/api/v1/cameras/:id/credential",
    {
      schema: {
        tags: ["cameras"],
        summary: "Have the agent forget a camera's account",
        params: IdParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async (request, reply) => {
      const cameraId = request.params.id;
      const agentId = await commands.agentOfCamera(cameraId);
      const by = sessionOf(request).user.userName;
      await control.setCredential({ agentId, cameraId, by }, null);
      return reply.code(204).send(null);
    },
  );
}
