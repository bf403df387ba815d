import type { ErrorBody } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { sqlStateOf } from "@huishi/platform";
import type { FastifyError } from "fastify";
import { statusOf } from "./error-status.ts";

export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
  /** A fault of ours, to be logged with its cause; the client is told no more than the code. */
  readonly isFault: boolean;
}

/** Fastify's own errors under our codes (fastify docs, "Errors"). */
const FASTIFY_CODES: Readonly<Record<string, [code: string, message: string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: ["BODY_INVALID", "The body is not valid JSON."],
  FST_ERR_CTP_EMPTY_JSON_BODY: [
    "BODY_INVALID",
    "The body is empty; send JSON or leave the content type out.",
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["BODY_INVALID", "The body is not as long as its Content-Length says."],
  FST_ERR_CTP_BODY_TOO_LARGE: [
    "BODY_TOO_LARGE",
    "The body is larger than 256 KiB (a photograph: 2 MiB, a chunk of a clip: 1 MiB).",
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ["MEDIA_TYPE_UNSUPPORTED", "Send the body as application/json."],
};

/** SQLSTATEs that say what the client did (PostgreSQL, Appendix A). */
const SQL_STATES: Readonly<Record<string, [code: string, message: string]>> = {
  "23503": ["REFERENCE_GONE", "What this refers to was deleted in the meantime; read the lists again."],
  // query_canceled: the statement's time limit.
  "57014": [
    "QUESTION_TOO_HEAVY",
    "The answer took too long; ask for a shorter range, a coarser granularity or fewer cameras.",
  ],
  // restrict_violation: only the end of a clip that is under a hold raises it (migration 0017).
  "23001": ["LEGAL_HOLD_COVERS", "A legal hold covers clips of this; release the hold first."],
  "23505": ["USER_NAME_TAKEN", "This user name is taken; choose another one."],
};

/** What a client is told of whatever was thrown: a stable code, what to do, and nothing of our insides. */
export function answerTo(thrown: unknown): ErrorAnswer {
  const isHuishi = thrown instanceof HuishiError;
  const status = isHuishi ? statusOf(thrown.code) : null;
  if (isHuishi && status !== null) return clientError(status, thrown.code, thrown.message, thrown.details);
  const { validation, validationContext, code, statusCode } = thrown as Partial<FastifyError>;
  if (validation !== undefined) return validationFailed(validation, validationContext ?? "request");
  const [known, message] = FASTIFY_CODES[code ?? ""] ?? SQL_STATES[sqlStateOf(thrown) ?? ""] ?? [];
  if (known !== undefined) return clientError(statusOf(known) ?? 400, known, message ?? "", {});
  if (sqlStateOf(thrown)?.startsWith("22")) {
    return clientError(400, "VALIDATION_FAILED", "A value is outside of what can be stored.", {});
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return clientError(400, "BODY_INVALID", "The request could not be read.", {});
  }
  if (isDatabaseAway(thrown)) {
    return fault(503, "DATABASE_UNAVAILABLE", "The database does not answer; try again in a few seconds.");
  }
  return fault(
    500,
    "INTERNAL",
    "Something went wrong in the server; its log says what, under this request's id.",
  );
}

function clientError(
  status: number,
  code: string,
  message: string,
  details: Readonly<Record<string, unknown>>,
): ErrorAnswer {
  const hasDetails = Object.keys(details).length > 0;
  return { status, body: { code, message, ...(hasDetails ? { details } : {}) }, isFault: false };
}

const fault = (status: number, code: string, message: string): ErrorAnswer => ({
  status,
  body: { code, message },
  isFault: true,
});

interface SchemaFault {
  readonly instancePath?: string;
  readonly message?: string | undefined;
  readonly params?: Readonly<Record<string, unknown>>;
}

function validationFailed(faults: readonly SchemaFault[], where: string): ErrorAnswer {
  const fields = faults
    .slice(0, 10)
    .map((item) => ({ field: fieldOf(item), message: item.message ?? "is not valid" }));
  const first = fields[0] ?? { field: "", message: "is not valid" };
  const place = first.field === "" ? `The ${where}` : `${where} field ${first.field}`;
  return clientError(400, "VALIDATION_FAILED", `${place}: ${first.message}.`, { ...first, where, fields });
}

/** `/points/0/x` with a missing or surplus property -> `points.0.x`. */
function fieldOf({ instancePath = "", params = {} }: SchemaFault): string {
  const extra = params["requiredProperties"] ?? params["additionalProperties"] ?? params["missingProperty"];
  const name = Array.isArray(extra) ? String(extra[0] ?? "") : typeof extra === "string" ? extra : "";
  return [...instancePath.split("/").slice(1), name].filter((part) => part !== "").join(".");
}

function isDatabaseAway(thrown: unknown): boolean {
  const sqlState = sqlStateOf(thrown);
  if (sqlState !== null) return /^(08|53|57|58|25)/.test(sqlState);
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  return (
    (typeof code === "string" && /^(ECONN|ENOTFOUND|ETIMEDOUT|EPIPE|ENOENT)/.test(code)) ||
    (typeof message === "string" && /connection terminated|timeout|not queryable/i.test(message))
  );
}
