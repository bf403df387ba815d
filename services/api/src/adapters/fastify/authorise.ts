import { HuishiError } from "@huishi/kernel";
import type { FastifyRequest } from "fastify";
import type { Identity, StoredSession } from "../../application/identity.ts";
import { isSameOrigin, sessionCookieName } from "../../domain/browser-trust.ts";
import { isAllowed, type Right } from "../../domain/rights.ts";
import type { App } from "./app-type.ts";
import { type Requirement, ROUTE_RIGHTS } from "./route-rights.ts";
import { setSessionCookie } from "./session-cookie.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The caller's session; null on public routes. */
    session: StoredSession | null;
  }
}

export interface AuthoriseOptions {
  readonly identity: Identity;
  /** `https://host` when people reach the server through a TLS proxy; null for plain http. */
  readonly publicOrigin: string | null;
}

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
const LOOPBACK = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);

/** Adds the one hook that authorises every route by the table. Call before any route is added. */
export function authoriseRoutes(app: App, options: AuthoriseOptions): void {
  const seen = new Set<string>();
  app.decorateRequest("session", null);
  app.addHook("onRoute", (route) => {
    for (const method of [route.method].flat()) {
      const key = `${method} ${route.url}`;
      if (ROUTE_RIGHTS[key] === undefined) {
        throw new HuishiError(
          "ROUTE_WITHOUT_RIGHT",
          `Route ${key} is missing in route-rights.ts; say what it requires.`,
        );
      }
      seen.add(key);
    }
  });
  app.addHook("onReady", (done) => {
    const missing = Object.keys(ROUTE_RIGHTS).filter((key) => !seen.has(key));
    done(
      missing.length === 0
        ? undefined
        : new HuishiError(
            "RIGHT_WITHOUT_ROUTE",
            `route-rights.ts names routes that do not exist: ${missing.join(", ")}`,
          ),
    );
  });
  app.addHook("onRequest", async (request, reply) => {
    if (!SAFE_METHODS.has(request.method)) requireSameOrigin(request, options.publicOrigin);
    const requirement = ROUTE_RIGHTS[`${request.method} ${request.routeOptions.url ?? ""}`];
    // No route matched: the not-found handler answers.
    if (requirement === undefined || requirement === "public") return;
    if (requirement === "loopbackOrAdminister" && isLocal(request)) return;
    const isHttps = options.publicOrigin?.startsWith("https:") ?? false;
    const token = request.cookies[sessionCookieName(isHttps)];
    const found = token === undefined ? null : await options.identity.findSession(token);
    if (found === null || token === undefined) throw notSignedIn();
    requireRight(found.session, requirement);
    request.session = found.session;
    if (found.renewed) setSessionCookie(reply, { token, expiresAtMs: found.session.expiresAtMs, isHttps });
  });
}

/** The session of a route that requires one. */
export function sessionOf(request: FastifyRequest): StoredSession {
  if (request.session === null) throw notSignedIn();
  return request.session;
}

function requireRight(session: StoredSession, requirement: Exclude<Requirement, "public">): void {
  if (requirement === "signedIn") return;
  const right: Right = requirement === "loopbackOrAdminister" ? "administer" : requirement;
  if (!isAllowed(session.user.role, right)) {
    throw new HuishiError("NOT_ALLOWED", "Your role does not allow this; ask an administrator.", {
      details: { right },
    });
  }
}

function requireSameOrigin(request: FastifyRequest, publicOrigin: string | null): void {
  const { host, origin, "sec-fetch-site": secFetchSite } = request.headers;
  const site = Array.isArray(secFetchSite) ? secFetchSite[0] : secFetchSite;
  if (isSameOrigin({ host, origin, secFetchSite: site }, publicOrigin)) return;
  throw new HuishiError(
    "CROSS_SITE_REFUSED",
    "This request comes from another site; use Huishi's own pages.",
  );
}

/** The machine itself, and not a proxy on it that speaks for somebody else. */
function isLocal(request: FastifyRequest): boolean {
  return (
    LOOPBACK.has(request.socket.remoteAddress ?? "") &&
    request.headers["x-forwarded-for"] === undefined &&
    request.headers["forwarded"] === undefined
  );
}

const notSignedIn = (): HuishiError => new HuishiError("NOT_SIGNED_IN", "Sign in first.");
