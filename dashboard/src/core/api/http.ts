/** The API over same-origin HTTP: every failure is an ApiError with the server's stable code. */
import type { ErrorBody } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";

/** A refused or failed request. `status` is 0 when no answer came. */
export class ApiError extends HuishiError {
  readonly status: number;

  constructor(status: number, body: ErrorBody, cause?: unknown) {
    super(body.code, body.message, { ...(body.details ? { details: body.details } : {}), cause });
    this.status = status;
  }
}

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  /** Sent as they are, instead of `body`. */
  readonly bytes?: Blob;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 15_000;

/** @throws ApiError with the server's code, or NETWORK when none came */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const response = await send(
    path,
    options,
    options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
  );
  if (response.status === 204) return undefined as T;
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  throw new ApiError(
    response.status,
    isErrorBody(body) ? body : { code: `HTTP_${response.status}`, message: "" },
  );
}

async function send(path: string, options: RequestOptions, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(path, {
      method: options.method ?? "GET",
      credentials: "same-origin",
      ...(options.bytes && {
        headers: { "content-type": "application/octet-stream" },
        body: options.bytes,
      }),
      ...(options.body === undefined
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(options.body) }),
      signal,
    });
  } catch (cause) {
    throw new ApiError(0, { code: "NETWORK", message: "" }, cause);
  }
}

function isErrorBody(body: unknown): body is ErrorBody {
  return typeof (body as Partial<ErrorBody> | null)?.code === "string";
}
