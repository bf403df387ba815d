import { createPool, type Logger, type Pool } from "@huishi/platform";

const LONGEST_QUESTION_MS = 5_000;

/**
 * Connections for questions over series, apart from those that move alarms: whatever somebody asks of a year of counts,
 * an acknowledgement finds a free connection. A question that takes longer than 5 s is ended (QUESTION_TOO_HEAVY).
 */
export function createQuestionPool(
  databaseUrl: string,
  options: { max?: number; logger?: Logger } = {},
): Pool {
  return createPool(withoutJit(databaseUrl), {
    max: options.max ?? 4,
    applicationName: "huishi-api-questions",
    statementTimeoutMs: LONGEST_QUESTION_MS,
    ...(options.logger ? { logger: options.logger } : {}),
  });
}

/** Many partitions make a plan look dear; compiling it takes longer than the question itself. */
function withoutJit(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl)) return databaseUrl;
  const url = new URL(databaseUrl);
  const given = url.searchParams.get("options");
  url.searchParams.set("options", [given, "-c jit=off"].filter(Boolean).join(" "));
  return url.href;
}
