/** What each kind of rule asks for beside its name. */
import { IN_ZONE_BY, type RuleKind, type Zone } from "@huishi/contracts";
import { useEffect } from "react";
import { useWords } from "../../core/i18n/use-words.ts";
import { NumberField, SelectField } from "../../ui/field.tsx";
import { useMarks } from "./editor-marks.ts";
import type { FieldFaults } from "./field-faults.ts";
import { wholeDegrees } from "./heading.ts";
import type { RuleForm } from "./rule-form-model.ts";

export interface FieldsProps {
  readonly form: RuleForm;
  readonly change: (part: Partial<RuleForm>) => void;
  readonly faultOf: FieldFaults;
}

/** Kinds that ask whether an object is in the polygon, and can be told how. */
const KINDS_BY_BOX: readonly RuleKind[] = ["intrusion", "dwell", "count_over", "loitering", "wrong_way"];

export function KindFields({ zone, ...props }: FieldsProps & { readonly zone: Zone }) {
  const { form } = props;
  const isLine = form.kind === "line_crossing";
  return (
    <>
      <div className="field-row">
        {isLine ? <DirectionField {...props} /> : <TimeFields {...props} />}
        <SettingField {...props} />
      </div>
      {form.kind === "wrong_way" ? <HeadingField zone={zone} {...props} /> : null}
      {KINDS_BY_BOX.includes(form.kind) ? <InZoneFields {...props} /> : null}
    </>
  );
}

function DirectionField({ form, change }: FieldsProps) {
  const { t } = useWords();
  return (
    <SelectField
      label={t.editor.direction}
      value={form.direction}
      options={(["both", "left_to_right", "right_to_left"] as const).map((value) => ({
        value,
        label: t.editor.directions[value],
      }))}
      onChange={(direction) => change({ direction })}
      testId="rule-direction"
    />
  );
}

function TimeFields({ form, change, faultOf }: FieldsProps) {
  const { t } = useWords();
  const times = { min: 0, max: 86_400, step: 0.5, unit: t.common.seconds };
  return (
    <>
      <NumberField
        label={t.editor.persistence}
        value={form.persistenceMs / 1_000}
        onChange={(seconds) => change({ persistenceMs: Math.round(seconds * 1_000) })}
        error={faultOf("persistenceMs")}
        testId="rule-persistence"
        {...times}
      />
      <NumberField
        label={t.editor.exit}
        value={form.exitMs / 1_000}
        onChange={(seconds) => change({ exitMs: Math.round(seconds * 1_000) })}
        error={faultOf("exitMs")}
        testId="rule-exit"
        {...times}
      />
    </>
  );
}

/** The one number that makes the kind. */
function SettingField({ form, change, faultOf }: FieldsProps) {
  const { t } = useWords();
  switch (form.kind) {
    case "count_over":
      return (
        <NumberField
          label={t.editor.threshold}
          value={form.threshold}
          onChange={(threshold) => change({ threshold })}
          min={0}
          max={10_000}
          error={faultOf("threshold")}
          testId="rule-threshold"
        />
      );
    case "congestion":
      return (
        <NumberField
          label={t.editor.occupancyShare}
          value={Math.round((form.occupancyShare ?? NaN) * 100)}
          onChange={(percent) => change({ occupancyShare: percent / 100 })}
          min={5}
          max={100}
          step={5}
          unit="%"
          error={faultOf("occupancyShare")}
          testId="rule-occupancy"
        />
      );
    case "density_over":
      return (
        <NumberField
          label={t.editor.density}
          value={form.densityPerM2 ?? NaN}
          onChange={(densityPerM2) => change({ densityPerM2 })}
          min={0.01}
          max={10}
          step={0.01}
          unit={t.editor.perSquareMetre}
          error={faultOf("densityPerM2") ?? faultOf("kind")}
          testId="rule-density"
        />
      );
    case "speed_over":
      return (
        <NumberField
          label={t.editor.speed}
          value={form.speedKmh ?? NaN}
          onChange={(speedKmh) => change({ speedKmh })}
          min={1}
          max={300}
          unit="km/h"
          error={faultOf("speedKmh") ?? faultOf("kind")}
          testId="rule-speed"
        />
      );
    default:
      return null;
  }
}

/** A number here and an arrow on the picture, which are one. */
function HeadingField({ zone, form, change, faultOf }: FieldsProps & { readonly zone: Zone }) {
  const { t } = useWords();
  const marks = useMarks();
  const degrees = form.headingDeg ?? 0;
  useEffect(() => {
    const onTurn = (headingDeg: number): void => change({ headingDeg });
    marks.update((now) => ({ ...now, heading: { zone, degrees, onTurn } }));
    return () => marks.update((now) => ({ ...now, heading: null }));
  }, [marks, zone, degrees, change]);
  return (
    <NumberField
      label={t.editor.heading}
      value={degrees}
      onChange={(value) => change({ headingDeg: Number.isFinite(value) ? wholeDegrees(value) : 0 })}
      min={0}
      max={359}
      unit={t.editor.degrees}
      hint={t.editor.headingHint}
      error={faultOf("headingDeg")}
      testId="rule-heading"
    />
  );
}

function InZoneFields({ form, change, faultOf }: FieldsProps) {
  const { t } = useWords();
  const by = form.inZoneBy ?? "foot_point";
  return (
    <div className="field-row">
      <SelectField
        label={t.editor.inZoneBy}
        value={by}
        options={IN_ZONE_BY.map((value) => ({ value, label: t.editor.inZoneByKinds[value] }))}
        onChange={(inZoneBy) => change({ inZoneBy, ...(inZoneBy === "overlap" && { overlapShare: 0.5 }) })}
        error={faultOf("inZoneBy")}
        testId="rule-in-zone-by"
      />
      {by === "overlap" ? (
        <NumberField
          label={t.editor.overlapShare}
          value={Math.round((form.overlapShare ?? 0.5) * 100)}
          onChange={(percent) => change({ overlapShare: percent / 100 })}
          min={5}
          max={100}
          step={5}
          unit="%"
          error={faultOf("overlapShare")}
          testId="rule-overlap"
        />
      ) : null}
    </div>
  );
}
