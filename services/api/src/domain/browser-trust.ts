/** Headers that tell where a browser's request comes from. */
export interface OriginHeaders {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
}

/**
 * Does a state-changing request come from our own page, or from no browser at all? Browsers always send Origin
 * with such requests and cannot be made to lie about it (Fetch Standard §3.1, Fetch Metadata §2.3); agents and
 * command lines send neither header.
 *
 * @param publicOrigin `https://host` when people come through a TLS proxy, else null
 */
export function isSameOrigin(headers: OriginHeaders, publicOrigin: string | null): boolean {
  const { secFetchSite, origin, host } = headers;
  if (secFetchSite !== undefined && secFetchSite !== "same-origin" && secFetchSite !== "none") return false;
  return origin === undefined || isOwnOrigin({ origin, host }, publicOrigin);
}

/** Is this Origin our own? For WebSockets it has to be there and has to match (RFC 6455 §10.2). */
export function isOwnOrigin(
  headers: { readonly origin: string; readonly host: string | undefined },
  publicOrigin: string | null,
): boolean {
  if (publicOrigin !== null && headers.origin === publicOrigin) return true;
  try {
    return headers.host !== undefined && new URL(headers.origin).host === headers.host.toLowerCase();
  } catch {
    return false;
  }
}

/** The session cookie's name; `__Host-` binds it to this host and to https (RFC 6265bis §4.1.3.2). */
export function sessionCookieName(isHttps: boolean): string {
  return isHttps ? "__Host-huishi" : "huishi";
}
