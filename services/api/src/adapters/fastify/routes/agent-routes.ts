import {
  AgentList,
  CertificateAuthority,
  ClaimCodeSchema,
  ClaimRequest,
  ClaimResponse,
  FoundDeviceList,
  Id,
} from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { Type } from "typebox";
import { type AgentsParts, claimAgent, issueCode } from "../../../application/agents.ts";
import type { App } from "../app-type.ts";
import { errorResponses } from "../schemas.ts";

export interface AgentRouteParts extends AgentsParts {
  readonly mqttUrl: string;
  readonly attemptsPerMinute: number;
  /** PEM of the authority behind our certificate; null where there is none of our own. */
  readonly caPem?: string | undefined;
}

/** Agents in the field. */
export function addAgentRoutes(app: App, parts: AgentRouteParts): void {
  const tags = ["agents"];
  app.get(
    "/api/v1/agents",
    { schema: { tags, summary: "All agents", response: { 200: AgentList, ...errorResponses } } },
    async () => ({ agents: await parts.store.listAgents() }),
  );
  app.get(
    "/api/v1/ca",
    {
      schema: {
        tags,
        summary:
          "The certificate authority that agents know this centre by; a claim text holds its fingerprint",
        response: { 200: CertificateAuthority, ...errorResponses },
      },
    },
    () => {
      if (parts.caPem !== undefined) return { pem: parts.caPem };
      throw new HuishiError("ROUTE_NOT_FOUND", "This centre has no certificate authority of its own.");
    },
  );
  app.get(
    "/api/v1/found-devices",
    {
      schema: {
        tags,
        summary: "Devices that agents found and nobody has adopted, and what became of them",
        querystring: Type.Object({ agentId: Type.Optional(Id) }, { additionalProperties: false }),
        response: { 200: FoundDeviceList, ...errorResponses },
      },
    },
    async ({ query }) => ({ devices: await parts.store.listFoundDevices(query.agentId) }),
  );
  app.post(
    "/api/v1/agents/claim-codes",
    {
      schema: {
        tags,
        summary: "A one-time code for an installer, good for 15 minutes; shown once",
        response: { 201: ClaimCodeSchema, ...errorResponses },
      },
    },
    async (_request, reply) => reply.code(201).send(await issueCode(parts)),
  );
  app.post(
    "/api/v1/agents/claim",
    {
      config: { rateLimit: { max: parts.attemptsPerMinute, timeWindow: 60_000 } },
      schema: {
        tags,
        summary: "Exchange a code for an agent's identity; the secret is shown once",
        body: ClaimRequest,
        response: { 201: ClaimResponse, ...errorResponses },
      },
    },
    async ({ body }, reply) =>
      reply.code(201).send(await claimAgent(parts, { ...body, mqttUrl: parts.mqttUrl })),
  );
}
