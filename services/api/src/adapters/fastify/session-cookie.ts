import "@fastify/cookie";
import type { FastifyReply } from "fastify";
import { sessionCookieName } from "../../domain/browser-trust.ts";

/** Gives the browser its session: out of scripts' reach, and never sent along from another site. */
export function setSessionCookie(
  reply: FastifyReply,
  cookie: { token: string; expiresAtMs: number; isHttps: boolean },
): void {
  void reply.setCookie(sessionCookieName(cookie.isHttps), cookie.token, {
    httpOnly: true,
    sameSite: "strict",
    secure: cookie.isHttps,
    path: "/",
    expires: new Date(cookie.expiresAtMs),
  });
}

export function clearSessionCookie(reply: FastifyReply, isHttps: boolean): void {
  void reply.clearCookie(sessionCookieName(isHttps), {
    httpOnly: true,
    sameSite: "strict",
    secure: isHttps,
    path: "/",
  });
}
