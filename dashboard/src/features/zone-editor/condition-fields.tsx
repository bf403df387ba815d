/** What must hold beside the picture: a sensor's word; and which neighbours see the same. */
import type { SensorCondition, SensorState } from "@huishi/contracts";
import { useEffect, useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { ErrorNote } from "../../ui/error-note.tsx";
import { NumberField, SelectField } from "../../ui/field.tsx";
import type { FieldsProps } from "./kind-fields.tsx";

/** Sensors of a large city; beyond, the list is cut and the number of a datastream has to be known. */
const MAX_PAGES = 10;

export function ConditionFields(props: FieldsProps) {
  return (
    <>
      <SensorFields {...props} />
      <NeighbourFields {...props} />
    </>
  );
}

function SensorFields({ form, change, faultOf }: FieldsProps) {
  const { t } = useWords();
  const sensor = form.sensor ?? null;
  const isOn = sensor !== null;
  const { streams, error } = useStreams(isOn);
  const [first] = streams ?? [];
  useEffect(() => {
    if (sensor?.datastreamId === "" && first) change({ sensor: { ...sensor, datastreamId: first.value } });
  }, [sensor, first, change]);
  const set = (part: Partial<SensorCondition>): void => {
    if (sensor) change({ sensor: { ...sensor, ...part } });
  };
  return (
    <div className="schedule">
      <label className="choice">
        <input
          type="checkbox"
          checked={isOn}
          data-testid="rule-sensor"
          onChange={({ target }) =>
            change({
              sensor: target.checked
                ? { datastreamId: first?.value ?? "", comparison: "above", value: 0, maxAgeMs: 600_000 }
                : null,
            })
          }
        />
        {t.editor.sensor}
      </label>
      {error === undefined ? null : <ErrorNote thrown={error} />}
      {isOn && streams?.length === 0 ? <p className="hint">{t.editor.noSensors}</p> : null}
      {sensor && streams && streams.length > 0 ? (
        <>
          <SelectField
            label={t.editor.sensorStream}
            value={sensor.datastreamId}
            options={
              streams.some(({ value }) => value === sensor.datastreamId)
                ? streams
                : [...streams, { value: sensor.datastreamId, label: sensor.datastreamId, unit: "" }]
            }
            onChange={(datastreamId) => set({ datastreamId })}
            error={faultOf("datastreamId")}
            testId="rule-sensor-stream"
          />
          <div className="field-row">
            <SelectField
              label={t.editor.sensorComparison}
              value={sensor.comparison}
              options={(["above", "below"] as const).map((value) => ({
                value,
                label: t.editor.sensorComparisons[value],
              }))}
              onChange={(comparison) => set({ comparison })}
              testId="rule-sensor-comparison"
            />
            <NumberField
              label={t.editor.sensorValue}
              value={sensor.value}
              onChange={(value) => set({ value })}
              min={-1_000_000}
              max={1_000_000}
              step={0.1}
              unit={streams.find(({ value }) => value === sensor.datastreamId)?.unit ?? ""}
              error={faultOf("sensor.value")}
              testId="rule-sensor-value"
            />
            <NumberField
              label={t.editor.sensorAge}
              value={sensor.maxAgeMs / 1_000}
              onChange={(seconds) => set({ maxAgeMs: Math.round(seconds * 1_000) })}
              min={1}
              max={86_400}
              unit={t.common.seconds}
              error={faultOf("maxAgeMs")}
              testId="rule-sensor-age"
            />
          </div>
        </>
      ) : null}
    </div>
  );
}

function NeighbourFields({ form, change, faultOf }: FieldsProps) {
  const { t } = useWords();
  const neighbours = form.neighbours ?? null;
  return (
    <div className="schedule">
      <label className="choice">
        <input
          type="checkbox"
          checked={neighbours !== null}
          data-testid="rule-neighbours"
          onChange={({ target }) =>
            change({ neighbours: target.checked ? { metres: 20, withinMs: 60_000 } : null })
          }
        />
        {t.editor.neighbours}
      </label>
      {neighbours ? (
        <>
          <div className="field-row">
            <NumberField
              label={t.editor.metres}
              value={neighbours.metres}
              onChange={(metres) => change({ neighbours: { ...neighbours, metres } })}
              min={1}
              max={500}
              unit={t.editor.metresUnit}
              error={faultOf("metres") ?? faultOf("neighbours")}
              testId="rule-neighbours-metres"
            />
            <NumberField
              label={t.editor.withinTime}
              value={neighbours.withinMs / 1_000}
              onChange={(seconds) =>
                change({ neighbours: { ...neighbours, withinMs: Math.round(seconds * 1_000) } })
              }
              min={1}
              max={3_600}
              unit={t.common.seconds}
              error={faultOf("withinMs")}
              testId="rule-neighbours-time"
            />
          </div>
          <p className="hint">{t.editor.neighboursHint}</p>
        </>
      ) : null}
    </div>
  );
}

interface Stream {
  /** Number of the datastream, as text. */
  readonly value: string;
  readonly label: string;
  readonly unit: string;
}

/** Every datastream of every sensor, read once it is asked for; null while it comes. */
function useStreams(isWanted: boolean): { streams: Stream[] | null; error?: unknown } {
  const { api } = useApp();
  const { observedProperty } = useWords();
  const [read, setRead] = useState<{ sensors: readonly SensorState[] | null; error?: unknown }>({
    sensors: null,
  });
  useEffect(() => {
    if (!isWanted) return undefined;
    let isOver = false;
    const readAll = async (): Promise<void> => {
      const sensors: SensorState[] = [];
      let after: string | undefined;
      for (let page = 0; page < MAX_PAGES; page++) {
        const { sensors: more, next } = await api.sensors(after);
        sensors.push(...more);
        if (next === null) break;
        after = next;
      }
      if (!isOver) setRead({ sensors });
    };
    readAll().catch((error: unknown) => {
      if (!isOver) setRead({ sensors: null, error });
    });
    return () => {
      isOver = true;
    };
  }, [api, isWanted]);
  const streams = read.sensors?.flatMap((sensor) =>
    sensor.datastreams.map(({ no, observedProperty: property, unit }) => ({
      value: String(no),
      label: `${sensor.name} · ${observedProperty(property)}`,
      unit,
    })),
  );
  return { streams: streams ?? null, ...(read.error !== undefined && { error: read.error }) };
}
