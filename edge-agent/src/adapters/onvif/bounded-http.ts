// One HTTP exchange with a device: to the one address that was checked, within a time and a size, never redirected.
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { EdgeError } from "../../domain/faults.ts";
import { pinnedLookup, type ResolvedAddress } from "../network-guard/network-guard.ts";

const MAX_HEADER_BYTES = 16 * 1024;

export interface HttpQuestion {
  readonly url: URL;
  /** What the URL's host stands for. */
  readonly to: ResolvedAddress;
  readonly method: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly maxBytes: number;
  /** Whole time of the exchange, however slowly it drips. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Each WWW-Authenticate header. */
  readonly challenges: readonly string[];
  readonly body: Buffer;
}

/**
 * Redirects are answers like any other: nobody follows them.
 *
 * @throws EdgeError CAMERA_UNREACHABLE, CAMERA_ANSWER_REFUSED (larger than it may be)
 */
export async function exchange(question: HttpQuestion): Promise<HttpAnswer> {
  const { url, to, method, headers, body, maxBytes, deadlineMs, signal } = question;
  signal.throwIfAborted();
  const ends = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  try {
    return await new Promise<HttpAnswer>((resolve, reject) => {
      const request = send(
        {
          host: to.address,
          port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
          path: url.pathname + url.search,
          lookup: pinnedLookup(to),
          method,
          agent: false,
          maxHeaderSize: MAX_HEADER_BYTES,
          // Cameras sign their own certificates.
          rejectUnauthorized: false,
          signal: ends,
          headers: {
            ...headers,
            host: url.host,
            connection: "close",
            ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          // What says that it is too large is not waited for.
          if (Number(response.headers["content-length"] ?? 0) > maxBytes) {
            request.destroy(tooLarge(url.host));
            return reject(tooLarge(url.host));
          }
          response.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > maxBytes) {
              request.destroy(tooLarge(url.host));
              reject(tooLarge(url.host));
            } else chunks.push(chunk);
          });
          response.once("error", reject);
          response.once("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              challenges: headersNamed(response.rawHeaders, "www-authenticate"),
              body: Buffer.concat(chunks),
            }),
          );
          response.once("close", () => reject(new Error("the connection was cut")));
        },
      );
      request.once("error", reject);
      request.end(body);
    });
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof EdgeError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    if (code.startsWith("HPE_HEADER_OVERFLOW")) throw tooLarge(url.host);
    const why = ends.aborted ? "no answer in time" : code || "the connection was cut";
    throw new EdgeError("CAMERA_UNREACHABLE", `the camera at ${url.host} does not answer (${why})`, {
      cause,
    });
  }
}

function tooLarge(host: string): EdgeError {
  return new EdgeError("CAMERA_ANSWER_REFUSED", `what the camera at ${host} answered is too large`);
}

function headersNamed(raw: readonly string[], name: string): string[] {
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);
}
