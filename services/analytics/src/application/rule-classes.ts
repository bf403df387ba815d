import type { ObjectClass, Rule, RuleFault } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import type { FaultLog } from "./fault-log.ts";

const FAULT = {
  code: "RULE_CLASS_UNKNOWN_TO_MODEL",
  message: "a rule is about classes that the model does not know",
} as const;

/** Keeps one camera's enabled rules against the model's classes and says once what does not fit. */
export class RuleClasses {
  readonly #cameraId: string;
  readonly #log: Pick<FaultLog, "report">;
  #rules: readonly Rule[];
  /** Null: the detector was not opened yet, or does not say. */
  #known: ReadonlySet<ObjectClass> | null = null;
  #faults: readonly RuleFault[] = [];

  constructor(cameraId: string, rules: readonly Rule[], log: Pick<FaultLog, "report">) {
    this.#cameraId = cameraId;
    this.#rules = rules;
    this.#log = log;
  }

  get faults(): readonly RuleFault[] {
    return this.#faults;
  }

  /** The detector was opened. */
  modelKnows(classes: readonly ObjectClass[] | undefined): void {
    this.#known = classes ? new Set(classes) : null;
    this.#check();
  }

  replace(rules: readonly Rule[]): void {
    this.#rules = rules;
    this.#check();
  }

  #check(): void {
    const known = this.#known;
    const before = JSON.stringify(this.#faults);
    this.#faults = known ? this.#rules.flatMap((rule) => this.#faultOf(rule, known)) : [];
    if (this.#faults.length === 0 || JSON.stringify(this.#faults) === before) return;
    const rules = this.#faults.map(({ ruleId, unknown }) => `${ruleId} (${unknown.join(", ")})`).join("; ");
    const error = new HuishiError(
      FAULT.code,
      `Rules of ${this.#cameraId} are about classes that the detector's model never reports: ${rules}. It knows ${[...(known ?? [])].join(", ")}. Change the rules' classes, or use a model that knows them (HUISHI_MODEL).`,
      { details: { cameraId: this.#cameraId, rules: this.#faults } },
    );
    this.#log.report(error, FAULT, { cameraId: this.#cameraId, rules: this.#faults });
  }

  #faultOf({ id, enabled, classes }: Rule, known: ReadonlySet<ObjectClass>): RuleFault[] {
    const unknown = classes.filter((objectClass) => !known.has(objectClass));
    if (!enabled || unknown.length === 0) return [];
    const isDeaf = unknown.length === classes.length;
    return [{ code: FAULT.code, ruleId: id, unknown, isDeaf }];
  }
}
