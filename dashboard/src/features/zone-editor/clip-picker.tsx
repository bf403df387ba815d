/** A video for the rehearsal: dropped or chosen. */
import { useState } from "react";
import { useWords } from "../../core/i18n/use-words.ts";
import { isTooLarge } from "./clip-upload.ts";

const MEGABYTE = 1024 * 1024;
const ACCEPTED = "video/*,.mkv,.ts,.avi,.h264,.264";

export function ClipPicker(props: {
  readonly file: File | null;
  readonly onFile: (file: File) => void;
  readonly hasSensor: boolean;
  readonly isDisabled: boolean;
}) {
  const { file, onFile, hasSensor, isDisabled } = props;
  const { t, number } = useWords();
  const [isOver, setIsOver] = useState(false);
  const take = (files: FileList | null): void => {
    const [first] = files ?? [];
    if (first) onFile(first);
  };
  return (
    <div className="field">
      {/* The way for the keyboard and for who cannot drag is the file input within. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <label
        className={isOver ? "clip-drop clip-drop-over" : "clip-drop"}
        data-testid="clip-drop"
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setIsOver(false);
          if (!isDisabled) take(event.dataTransfer.files);
        }}
      >
        <input
          type="file"
          accept={ACCEPTED}
          className="visually-hidden"
          disabled={isDisabled}
          data-testid="clip-file"
          onChange={({ target }) => take(target.files)}
        />
        <span>{file ? t.rehearsal.chosen(file.name, number(file.size / MEGABYTE)) : t.rehearsal.drop}</span>
      </label>
      {file && isTooLarge(file) ? (
        <small className="field-error">{t.rehearsal.clipTooLarge}</small>
      ) : (
        <small className="field-hint">
          {t.rehearsal.clipHint} {hasSensor ? t.rehearsal.clipSensors : ""}
        </small>
      )}
    </div>
  );
}
