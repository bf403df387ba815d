// What vendors do differently, as data: a new vendor is a new line, never a new branch.

/** Answers that mean "the account is locked": HTTP statuses, and texts of SOAP faults, HTTP and RTSP answers. */
const LOCK_OUT_STATUSES: ReadonlySet<number> = new Set([423, 429]);
const LOCK_OUT_TEXTS: readonly RegExp[] = [
  /ter:(AccountLocked|UserLocked|Locked|DeviceLocked)/i,
  // Hikvision's `<lockStatus>lock</lockStatus>`, `userLocked`; Dahua's and Uniview's texts.
  /<lockStatus>\s*lock(ed)?\s*</i,
  /user[ _-]?(has been |is )?locked/i,
  /account[ _-]?(has been |is )?(temporarily )?locked/i,
  /ip[ _-]?(address )?(has been |is )?(locked|blocked)/i,
  /illegal login lock/i,
  /too many (failed |wrong |login |authentication )*(attempts|logins|failures)/i,
  // RTSP servers of the same vendors: in the reason, or as parameters of the challenge.
  /\b(un)?lock[ _-]?time\s*[=:]\s*"?\d/i,
  /(login|authentication) (is )?(temporarily )?(blocked|suspended)/i,
  /(账号|帐号|用户)(已)?被?锁定/,
];

/** Does an answer say that the account is locked? `status` is the HTTP or RTSP status. */
export function tellsOfLockOut(status: number | undefined, text: string): boolean {
  if (status !== undefined && LOCK_OUT_STATUSES.has(status)) return true;
  return LOCK_OUT_TEXTS.some((pattern) => pattern.test(text.slice(0, 4_096)));
}

/** What one kind of camera needs. */
export interface CameraQuirks {
  /** Pan and tilt on the one hand and zoom on the other go in moves of their own. */
  readonly splitsMoves?: boolean;
}

const QUIRKS: readonly { manufacturer: RegExp; model?: RegExp; quirks: CameraQuirks }[] = [
  // The library's authors met Sony cameras that do not move when both are sent at once.
  { manufacturer: /^sony/i, quirks: { splitsMoves: true } },
];

/** The quirks of a camera, those of later lines over those of earlier ones. */
export function quirksOf(manufacturer = "", model = ""): CameraQuirks {
  const fitting = QUIRKS.filter(
    (line) => line.manufacturer.test(manufacturer) && (line.model?.test(model) ?? true),
  );
  return Object.assign({}, ...fitting.map(({ quirks }) => quirks)) as CameraQuirks;
}
