/** `npm run test:faults` runs the long form; `npm test` the short one. */
const isLong = process.env["HUISHI_FAULTS"] === "long";

/** The figure of the form that runs. */
export const inForm = <T>(long: T, short: T): T => (isLong ? long : short);

/** What a recovery may take, milliseconds: the suite's own bound, not a measure of speed. */
export const RECOVERY_MS = 10_000;
export const DISK_RECOVERY_MS = 30_000;

/** A line for the record: `npm run test:faults` collects them. */
export function note(fault: string, said: Readonly<Record<string, number | string>>): void {
  const fields = Object.entries(said).map(
    ([name, value]) => `${name} ${typeof value === "number" ? Math.round(value) : value}`,
  );
  process.stdout.write(`fault: ${fault}: ${fields.join(", ")}\n`);
}
