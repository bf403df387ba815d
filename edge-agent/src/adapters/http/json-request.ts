import { messageOf } from "@huishi/kernel";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { EdgeError } from "../../domain/faults.ts";

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;

export interface JsonRequest {
  readonly url: URL;
  /** Given, it is a POST. */
  readonly body?: object;
  /** Certificate authority for `https:`, PEM; default: those that Node knows. */
  readonly ca?: string | undefined;
  /** Whoever answers is believed nothing: only for what is checked by itself. */
  readonly unverified?: boolean;
}

/**
 * One request to the centre; redirects are not followed. `body` is null when it is no JSON.
 *
 * @throws EdgeError SERVER_UNREACHABLE
 */
export async function requestJson(
  { url, body, ca, unverified = false }: JsonRequest,
  signal: AbortSignal,
): Promise<{ status: number; body: unknown; date: string | undefined }> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const payload = body === undefined ? undefined : JSON.stringify(body);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = {
        method: payload === undefined ? "GET" : "POST",
        headers: payload === undefined ? {} : { "content-type": "application/json" },
        signal: limit,
        agent: false as const,
      };
      const request =
        url.protocol === "https:"
          ? requestHttps(
              url,
              {
                ...options,
                minVersion: "TLSv1.2",
                rejectUnauthorized: !unverified,
                ...(ca !== undefined && { ca }),
              },
              resolve,
            )
          : requestHttp(url, options, resolve);
      request.on("error", reject);
      request.end(payload);
    });
    const { statusCode: status = 0, headers } = response;
    return { status, body: await readJson(response), date: headers.date };
  } catch (cause) {
    signal.throwIfAborted();
    throw new EdgeError(
      "SERVER_UNREACHABLE",
      `the centre at ${url.origin} does not answer (${messageOf(cause)})`,
    );
  }
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error("the answer is too large");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch {
    return null;
  }
}
