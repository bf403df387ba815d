import { type Claim, ClaimResponse } from "@huishi/contracts";
import { messageOf } from "@huishi/kernel";
import { Check } from "typebox/value";
import { EdgeError } from "../../domain/faults.ts";

const TIMEOUT_MS = 10_000;
/** The centre is busy or starting: the code may still be good. */
const RETRY_STATUS = new Set([404, 408, 425, 429]);

/**
 * Claims this agent at the centre (`POST /api/v1/agents/claim`). The code goes in the body, never in a URL.
 *
 * @throws EdgeError CLAIM_REFUSED, SERVER_UNREACHABLE
 */
export async function claimAgent(
  options: { readonly serverUrl: string; readonly code: string; readonly name: string },
  signal: AbortSignal,
): Promise<Claim> {
  const url = new URL("/api/v1/agents/claim", options.serverUrl);
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code: options.code, name: options.name }),
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    body = await response.json().catch(() => null);
  } catch (cause) {
    throw unreachable(url, messageOf((cause as Error).cause ?? cause));
  }
  if (response.status >= 500 || RETRY_STATUS.has(response.status)) {
    throw unreachable(url, `status ${response.status}`);
  }
  if (!response.ok) {
    throw new EdgeError("CLAIM_REFUSED", `the centre refused the claim code (status ${response.status})`, {
      details: { status: response.status },
    });
  }
  if (!Check(ClaimResponse, body)) throw unreachable(url, "the answer is not one of a Huishi centre");
  return body;
}

function unreachable(url: URL, why: string): EdgeError {
  return new EdgeError("SERVER_UNREACHABLE", `the centre at ${url.origin} does not answer (${why})`);
}
