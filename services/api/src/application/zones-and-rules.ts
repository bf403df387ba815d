import type { LineCounts, Rule, Zone, ZoneKind } from "@huishi/contracts";
import { type Clock, HuishiError, type Point } from "@huishi/kernel";
import { checkRule, checkRuleSurroundings, needsGroundPlane, type RuleSettings } from "../domain/rule-fit.ts";
import { checkRange, DAY_MS } from "../domain/time-range.ts";
import { checkZoneShape } from "../domain/zone-shape.ts";
import { type CameraStore, getCamera } from "./cameras.ts";
import type { GroundPlaneStore } from "./ground-planes.ts";
import type { Secrets } from "./secrets.ts";
import { settle, type Versioned } from "./versioned.ts";

const MAX_ZONES_PER_CAMERA = 64;
const MAX_RULES_PER_CAMERA = 64;
const LONGEST_COUNT_MS = 400 * DAY_MS;

export interface ZoneStore {
  listZones(cameraId: string): Promise<Zone[]>;
  findZone(id: string): Promise<Zone | null>;
  insertZone(zone: Zone): Promise<void>;
  updateZone(zone: {
    id: string;
    name: string;
    points: readonly Point[];
    version: number;
  }): Promise<Versioned<Zone>>;
  deleteZone(id: string): Promise<boolean>;
}

export interface RuleStore {
  listRules(cameraId: string): Promise<Rule[]>;
  findRule(id: string): Promise<Rule | null>;
  insertRule(rule: Rule): Promise<void>;
  updateRule(rule: {
    id: string;
    zoneId: string;
    settings: RuleSettings;
    version: number;
  }): Promise<Versioned<Rule>>;
  deleteRule(id: string): Promise<boolean>;
  /** @param no decimal text; anything else is unknown */
  isDatastream(no: string): Promise<boolean>;
  countCrossings(range: { ruleId: string; fromMs: number; toMs: number }): Promise<LineCounts["byClass"]>;
}

export interface ZonesAndRulesParts {
  readonly cameras: CameraStore;
  readonly zones: ZoneStore;
  readonly rules: RuleStore;
  readonly grounds: GroundPlaneStore;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/** Zones drawn on a camera's picture, and the rules that stand on them. */
export class ZonesAndRules {
  readonly #parts: ZonesAndRulesParts;

  constructor(parts: ZonesAndRulesParts) {
    this.#parts = parts;
  }

  async listZones(cameraId: string): Promise<Zone[]> {
    await getCamera(this.#parts.cameras, cameraId);
    return this.#parts.zones.listZones(cameraId);
  }

  /** @throws HuishiError of checkZoneShape, CAMERA_NOT_FOUND, ZONE_LIMIT */
  async createZone(
    cameraId: string,
    draft: { name: string; kind: ZoneKind; points: Point[] },
  ): Promise<Zone> {
    checkZoneShape(draft.kind, draft.points);
    if ((await this.listZones(cameraId)).length >= MAX_ZONES_PER_CAMERA)
      throw limitReached("ZONE_LIMIT", "zones");
    const zone: Zone = { id: this.#newId("zone"), cameraId, ...draft, version: 1 };
    await this.#parts.zones.insertZone(zone);
    return zone;
  }

  /** @throws HuishiError of checkZoneShape, ZONE_NOT_FOUND, VERSION_CONFLICT */
  async updateZone(id: string, change: { name: string; points: Point[]; version: number }): Promise<Zone> {
    const zone = await this.#getZone(id);
    checkZoneShape(zone.kind, change.points);
    return settle(await this.#parts.zones.updateZone({ id, ...change }), () =>
      notFound("ZONE_NOT_FOUND", "zone", id),
    );
  }

  /** Deletes the zone and the rules that stand on it. */
  async deleteZone(id: string): Promise<void> {
    if (!(await this.#parts.zones.deleteZone(id))) throw notFound("ZONE_NOT_FOUND", "zone", id);
  }

  async listRules(cameraId: string): Promise<Rule[]> {
    await getCamera(this.#parts.cameras, cameraId);
    return this.#parts.rules.listRules(cameraId);
  }

  /** @throws HuishiError of checkRule and checkRuleSurroundings, CAMERA_NOT_FOUND, ZONE_NOT_FOUND, RULE_LIMIT */
  async createRule(cameraId: string, draft: RuleSettings & { zoneId: string }): Promise<Rule> {
    if ((await this.listRules(cameraId)).length >= MAX_RULES_PER_CAMERA)
      throw limitReached("RULE_LIMIT", "rules");
    await this.#check(draft, cameraId, draft.zoneId);
    const rule: Rule = { id: this.#newId("rule"), cameraId, ...draft, version: 1 };
    await this.#parts.rules.insertRule(rule);
    return rule;
  }

  /** @throws HuishiError of checkRule and checkRuleSurroundings, RULE_NOT_FOUND, ZONE_NOT_FOUND, VERSION_CONFLICT */
  async updateRule(id: string, change: RuleSettings & { zoneId: string; version: number }): Promise<Rule> {
    const rule = await this.getRule(id);
    const { zoneId, version, ...settings } = change;
    await this.#check(settings, rule.cameraId, zoneId);
    const updated = await this.#parts.rules.updateRule({ id, zoneId, version, settings });
    return settle(updated, () => notFound("RULE_NOT_FOUND", "rule", id));
  }

  async deleteRule(id: string): Promise<void> {
    if (!(await this.#parts.rules.deleteRule(id))) throw notFound("RULE_NOT_FOUND", "rule", id);
  }

  /** Crossings of a rule's line by direction and class. @throws HuishiError RULE_NOT_FOUND, RULE_NOT_A_LINE, TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG */
  async countCrossings(ruleId: string, range: { fromMs?: number; toMs?: number }): Promise<LineCounts> {
    const rule = await this.getRule(ruleId);
    if (rule.kind !== "line_crossing") {
      throw new HuishiError(
        "RULE_NOT_A_LINE",
        "Only rules of kind line_crossing count crossings; choose one of those.",
        {
          details: { ruleId, kind: rule.kind },
        },
      );
    }
    const toMs = range.toMs ?? this.#parts.clock.nowMs() + 1;
    const fromMs = range.fromMs ?? Math.max(0, toMs - DAY_MS);
    checkRange({ fromMs, toMs }, LONGEST_COUNT_MS);
    const byClass = await this.#parts.rules.countCrossings({ ruleId, fromMs, toMs });
    const sum = (direction: "leftToRight" | "rightToLeft"): number =>
      byClass.reduce((total, row) => total + row[direction], 0);
    return {
      ruleId,
      fromMs,
      toMs,
      leftToRight: sum("leftToRight"),
      rightToLeft: sum("rightToLeft"),
      byClass,
    };
  }

  /** @throws HuishiError RULE_NOT_FOUND */
  async getRule(id: string): Promise<Rule> {
    const rule = await this.#parts.rules.findRule(id);
    if (rule === null) throw notFound("RULE_NOT_FOUND", "rule", id);
    return rule;
  }

  async #check(settings: RuleSettings, cameraId: string, zoneId: string): Promise<void> {
    await this.checkRuleOn(settings, cameraId, await this.#getZone(zoneId));
  }

  /** Could a rule stand on this zone? The zone need not be saved. @throws HuishiError of checkRule, checkRuleSurroundings */
  async checkRuleOn(settings: RuleSettings, cameraId: string, zone: Zone): Promise<void> {
    const { grounds, rules } = this.#parts;
    checkRule(settings, cameraId, zone);
    checkRuleSurroundings(settings, zone, {
      groundPairs: needsGroundPlane(settings)
        ? ((await grounds.findGroundPlane(cameraId))?.pairs ?? null)
        : null,
      isDatastreamKnown: settings.sensor ? await rules.isDatastream(settings.sensor.datastreamId) : false,
    });
  }

  async #getZone(id: string): Promise<Zone> {
    const zone = await this.#parts.zones.findZone(id);
    if (zone === null) throw zoneNotFound(id);
    return zone;
  }

  #newId(prefix: string): string {
    return `${prefix}-${Buffer.from(this.#parts.secrets.randomBytes(8)).toString("hex")}`;
  }
}

export const zoneNotFound = (id: string): HuishiError => notFound("ZONE_NOT_FOUND", "zone", id);

function notFound(code: string, what: string, id: string): HuishiError {
  return new HuishiError(code, `There is no such ${what}; it may have been deleted. Read the list again.`, {
    details: { id },
  });
}

function limitReached(code: string, what: string): HuishiError {
  return new HuishiError(code, `This camera has as many ${what} as it may have (64); delete one first.`);
}
