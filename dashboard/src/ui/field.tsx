import { useId } from "react";

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: "text" | "password" | "time";
  readonly hint?: string;
  readonly error?: string | null;
  readonly autoComplete?: string;
  readonly testId?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly required?: boolean;
  readonly inputRef?: React.Ref<HTMLInputElement>;
}

/** A labelled input with its hint and its error tied to it. */
export function TextField(props: TextFieldProps) {
  const {
    label,
    value,
    onChange,
    type = "text",
    hint,
    error,
    autoComplete = "off",
    testId,
    inputRef,
    ...limits
  } = props;
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type={type}
        value={value}
        autoComplete={autoComplete}
        aria-invalid={Boolean(error)}
        {...(note ? { "aria-describedby": noteId } : {})}
        {...(testId ? { "data-testid": testId } : {})}
        {...(inputRef ? { ref: inputRef } : {})}
        {...limits}
        onChange={(event) => onChange(event.target.value)}
      />
      {note ? (
        <small id={noteId} className={error ? "field-error" : "field-hint"}>
          {note}
        </small>
      ) : null}
    </div>
  );
}

/** A number with its unit behind it, its hint and its error tied to it. */
export function NumberField(props: {
  readonly label: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly unit?: string;
  readonly hint?: string;
  readonly error?: string | null;
  readonly testId?: string;
}) {
  const { label, value, onChange, unit, hint, error, testId, ...limits } = props;
  const id = useId();
  const note = error ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <span className="with-unit">
        <input
          id={id}
          type="number"
          inputMode="decimal"
          className="numeric"
          value={Number.isFinite(value) ? value : ""}
          aria-invalid={Boolean(error)}
          {...(note ? { "aria-describedby": `${id}-note` } : {})}
          {...(testId ? { "data-testid": testId } : {})}
          {...limits}
          onChange={(event) => onChange(event.target.valueAsNumber)}
        />
        {unit ? <span>{unit}</span> : null}
      </span>
      {note ? (
        <small id={`${id}-note`} className={error ? "field-error" : "field-hint"}>
          {note}
        </small>
      ) : null}
    </div>
  );
}

export function SelectField<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
  readonly hint?: string;
  readonly error?: string | null;
  readonly testId?: string;
}) {
  const { label, value, options, onChange, hint, error, testId } = props;
  const id = useId();
  const note = error ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value}
        aria-invalid={Boolean(error)}
        {...(note ? { "aria-describedby": `${id}-note` } : {})}
        {...(testId ? { "data-testid": testId } : {})}
        onChange={(event) => onChange(event.target.value as T)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {note ? (
        <small id={`${id}-note`} className={error ? "field-error" : "field-hint"}>
          {note}
        </small>
      ) : null}
    </div>
  );
}
