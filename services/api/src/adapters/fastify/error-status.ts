/** Error code -> HTTP status, for every code that the API answers with. docs/errors.md says what each means. */
export const STATUS_OF_CODE = {
  BODY_INVALID: 400,
  VALIDATION_FAILED: 400,
  TIME_RANGE_INVALID: 400,
  ZONE_LINE_POINTS: 400,
  ZONE_TOO_FEW_POINTS: 400,
  ZONE_SELF_CROSSING: 400,
  ZONE_TOO_SMALL: 400,
  RULE_ZONE_OTHER_CAMERA: 400,
  RULE_ZONE_KIND: 400,
  RULE_SCHEDULE_EMPTY: 400,
  RULE_TIME_ZONE: 400,
  RULE_NOT_A_LINE: 400,

  NOT_SIGNED_IN: 401,
  SIGN_IN_FAILED: 401,

  SETUP_TOKEN_INVALID: 403,
  CLAIM_CODE_INVALID: 403,
  NOT_ALLOWED: 403,
  CROSS_SITE_REFUSED: 403,

  ROUTE_NOT_FOUND: 404,
  CAMERA_NOT_FOUND: 404,
  ZONE_NOT_FOUND: 404,
  RULE_NOT_FOUND: 404,
  ALARM_NOT_FOUND: 404,
  SNAPSHOT_NOT_FOUND: 404,

  VERSION_CONFLICT: 409,
  ALARM_MOVE_ILLEGAL: 409,
  REFERENCE_GONE: 409,
  USER_NAME_TAKEN: 409,
  ZONE_LIMIT: 409,
  RULE_LIMIT: 409,

  BODY_TOO_LARGE: 413,
  MEDIA_TYPE_UNSUPPORTED: 415,
  UPGRADE_REQUIRED: 426,
  RATE_LIMITED: 429,
  SIGN_IN_LOCKED: 429,

  INTERNAL: 500,
  BUSY: 503,
  DATABASE_UNAVAILABLE: 503,
  DASHBOARD_MISSING: 503,
} as const satisfies Record<string, number>;

export type ApiErrorCode = keyof typeof STATUS_OF_CODE;

/** The status of a code, or null when the code is not one that the API may show. */
export function statusOf(code: string): number | null {
  return Object.hasOwn(STATUS_OF_CODE, code) ? STATUS_OF_CODE[code as ApiErrorCode] : null;
}
