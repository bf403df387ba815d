import { ServerInfoSchema, SessionSchema, SetupRequest, SignInRequest } from "@huishi/contracts";
import type { Clock } from "@huishi/kernel";
import type { FastifyReply } from "fastify";
import { describeSession, type Identity, type SignedIn } from "../../../application/identity.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, NoContent } from "../schemas.ts";
import { clearSessionCookie, setSessionCookie } from "../session-cookie.ts";

export interface IdentityRouteParts {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly version: string;
  readonly isHttps: boolean;
  /** Attempts a minute and address on sign-in and set-up. */
  readonly attemptsPerMinute: number;
}

/** Server info, set-up, sign-in, sign-out, session. */
export function addIdentityRoutes(app: App, parts: IdentityRouteParts): void {
  const { identity, isHttps } = parts;
  const config = { rateLimit: { max: parts.attemptsPerMinute, timeWindow: 60_000 } };
  const tags = ["identity"];
  const answer = (reply: FastifyReply, { token, session }: SignedIn): SignedIn["session"] => {
    setSessionCookie(reply, { token, expiresAtMs: session.expiresAtMs, isHttps });
    return session;
  };

  app.get(
    "/api/v1/server",
    {
      schema: {
        tags,
        summary: "What a page may know before sign-in",
        response: { 200: ServerInfoSchema, ...errorResponses },
      },
    },
    async () => ({
      name: "Huishi" as const,
      version: parts.version,
      needsSetup: await identity.needsSetup(),
      serverTimeMs: parts.clock.nowMs(),
    }),
  );
  app.post(
    "/api/v1/setup",
    {
      config,
      schema: {
        tags,
        summary: "Create the first administrator with the one-time token, and sign in",
        body: SetupRequest,
        response: { 200: SessionSchema, ...errorResponses },
      },
    },
    async (request, reply) => answer(reply, await identity.setUp(request.body)),
  );
  app.post(
    "/api/v1/sign-in",
    {
      config,
      schema: {
        tags,
        summary: "Sign in",
        body: SignInRequest,
        response: { 200: SessionSchema, ...errorResponses },
      },
    },
    async (request, reply) => answer(reply, await identity.signIn(request.body)),
  );
  app.post(
    "/api/v1/sign-out",
    {
      schema: {
        tags,
        summary: "End this session and its sockets",
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async (request, reply) => {
      await identity.signOut(sessionOf(request).tokenHash);
      clearSessionCookie(reply, isHttps);
      return reply.code(204).send(null);
    },
  );
  app.get(
    "/api/v1/session",
    { schema: { tags, summary: "Who is signed in", response: { 200: SessionSchema, ...errorResponses } } },
    (request) => Promise.resolve(describeSession(sessionOf(request))),
  );
}
