/** The rule as it stands in the form, run over what was perceived before it wakes anyone. */
import type { Zone } from "@huishi/contracts";
import { useEffect, useState } from "react";
import { useWords } from "../../core/i18n/use-words.ts";
import { ErrorNote } from "../../ui/error-note.tsx";
import { SelectField } from "../../ui/field.tsx";
import { ClipPicker } from "./clip-picker.tsx";
import { isTooLarge } from "./clip-upload.ts";
import { useMarks } from "./editor-marks.ts";
import { isSameRule, type Over, OVERS, subjectOf } from "./rehearsal-model.ts";
import { RehearsalResultView } from "./rehearsal-result.tsx";
import type { RuleForm } from "./rule-form-model.ts";
import { type RehearsalStage, useRehearsal } from "./use-rehearsal.ts";

/** What these look at is in pictures, and those are not stored. */
const CLIP_ONLY: readonly RuleForm["kind"][] = ["abandoned_object", "object_removed"];

export function RehearsalPanel({
  zone,
  form,
  saved,
}: {
  zone: Zone;
  form: RuleForm;
  saved: RuleForm | null;
}) {
  const { t } = useWords();
  const marks = useMarks();
  const [wanted, setOver] = useState<Over>("day");
  const [file, setFile] = useState<File | null>(null);
  /** The rule that the result is about. */
  const [rehearsed, setRehearsed] = useState<RuleForm | null>(null);
  const { stage, start, cancel } = useRehearsal();
  const isClipOnly = CLIP_ONLY.includes(form.kind);
  const over = isClipOnly ? "clip" : wanted;
  const isUnderWay = stage.kind === "sending" || stage.kind === "running";
  const isFileBad = over === "clip" && (file === null || isTooLarge(file));
  useEffect(() => () => marks.update((now) => ({ ...now, box: null })), [marks]);

  const begin = (): void => {
    const isChanged = saved !== null && !isSameRule(saved, form);
    setRehearsed(form);
    start({
      cameraId: zone.cameraId,
      subject: subjectOf(zone, form),
      baseline: isChanged ? subjectOf(zone, saved) : null,
      over,
      file,
    });
  };
  return (
    <section className="rehearsal" aria-label={t.rehearsal.title} data-testid="rehearsal">
      <h4>{t.rehearsal.title}</h4>
      <p className="hint">{t.rehearsal.teach}</p>
      <SelectField
        label={t.rehearsal.source}
        value={over}
        options={(isClipOnly ? (["clip"] as const) : OVERS).map((value) => ({
          value,
          label: t.rehearsal.sources[value],
        }))}
        onChange={setOver}
        testId="rehearsal-over"
      />
      {over === "clip" ? (
        <ClipPicker file={file} onFile={setFile} hasSensor={Boolean(form.sensor)} isDisabled={isUnderWay} />
      ) : null}
      {isUnderWay ? (
        <RehearsalProgress stage={stage} onCancel={cancel} />
      ) : (
        <button
          type="button"
          className="button"
          disabled={form.classes.length === 0 || isFileBad}
          data-testid="rehearse"
          onClick={begin}
        >
          {stage.kind === "ended" ? t.rehearsal.again : t.rehearsal.start}
        </button>
      )}
      {stage.kind === "failed" ? <ErrorNote thrown={stage.error} /> : null}
      {stage.kind === "ended" ? (
        <RehearsalResultView
          rehearsal={stage.rehearsal}
          zone={zone}
          priority={form.priority}
          isChanged={rehearsed !== null && !isSameRule(rehearsed, form)}
        />
      ) : null}
    </section>
  );
}

function RehearsalProgress({ stage, onCancel }: { stage: RehearsalStage; onCancel: () => void }) {
  const { t, percent } = useWords();
  const isWaiting = stage.kind === "running" && stage.rehearsal?.state !== "running";
  const share =
    stage.kind === "sending" ? stage.share : stage.kind === "running" ? (stage.rehearsal?.progress ?? 0) : 0;
  const text =
    stage.kind === "sending"
      ? t.rehearsal.sending(percent(share))
      : isWaiting
        ? t.rehearsal.waiting
        : t.rehearsal.running(percent(share));
  return (
    <div className="rehearsal-progress" data-testid="rehearsal-progress" data-stage={stage.kind}>
      <progress max={1} aria-label={text} {...(isWaiting ? {} : { value: share })} />
      <span className="numeric">{text}</span>
      <button type="button" className="button" data-testid="rehearsal-cancel" onClick={onCancel}>
        {t.common.cancel}
      </button>
    </div>
  );
}
