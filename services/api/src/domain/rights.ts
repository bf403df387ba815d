/** Rights are decided here and nowhere else (architecture.md, decision 9: role x department x grant x resource; this version knows roles). */
const ROLES = ["administrator", "operator"] as const;
export type Role = (typeof ROLES)[number];

/**
 * `view`: see cameras, zones, rules, alarms and live pictures. `moveAlarms`: acknowledge, false alarm.
 * `steer`: turn cameras
 * and set their picture. `configure`: edit cameras, zones and rules. `administer`: agents and cameras' accounts, dead letters, metrics.
 */
export const RIGHTS = ["view", "moveAlarms", "steer", "configure", "administer"] as const;
export type Right = (typeof RIGHTS)[number];

const RIGHTS_OF: Readonly<Record<Role, ReadonlySet<Right>>> = {
  administrator: new Set(RIGHTS),
  operator: new Set<Right>(["view", "moveAlarms", "steer"]),
};

/** May somebody with this role do what the right names? */
export function isAllowed(role: Role, right: Right): boolean {
  return RIGHTS_OF[role].has(right);
}
