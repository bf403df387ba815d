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

/** A sheet of a year may be long; it comes as it is read. */
const SHEET_TIMEOUT_MS = 120_000;

/** @throws ApiError with the server's code, or NETWORK when none came */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options, within(TIMEOUT_MS, options.signal));
  if (response.status === 204) return undefined as T;
  if (!response.ok) throw await refusalOf(response);
  return (await response.json().catch(() => null)) as T;
}

/**
 * The same question's answer as a sheet.
 *
 * @throws ApiError with the server's code, or NETWORK when none came or it broke off
 */
export async function requestSheet(path: string): Promise<Blob> {
  const response = await send(path, { accept: "text/csv" }, within(SHEET_TIMEOUT_MS));
  if (!response.ok) throw await refusalOf(response);
  return response.blob().catch((cause: unknown) => {
    throw new ApiError(0, { code: "NETWORK", message: "" }, cause);
  });
}

function within(timeoutMs: number, signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

async function refusalOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  return new ApiError(
    response.status,
    isErrorBody(body) ? body : { code: `HTTP_${response.status}`, message: "" },
  );
}

function contentType({ body, bytes }: RequestOptions): Record<string, string> {
  if (bytes) return { "content-type": "application/octet-stream" };
  return body === undefined ? {} : { "content-type": "application/json" };
}

async function send(
  path: string,
  options: RequestOptions & { readonly accept?: string },
  signal: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(path, {
      method: options.method ?? "GET",
      credentials: "same-origin",
      headers: {
        accept: options.accept ?? "application/json",
        ...contentType(options),
      },
      ...(options.bytes && { body: options.bytes }),
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      signal,
    });
  } catch (cause) {
    throw new ApiError(0, { code: "NETWORK", message: "" }, cause);
  }
}

function isErrorBody(body: unknown): body is ErrorBody {
  return typeof (body as Partial<ErrorBody> | null)?.code === "string";
}
