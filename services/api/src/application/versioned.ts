import { HuishiError } from "@huishi/kernel";

/** What became of a change that named the version it was made from. */
export type Versioned<T> =
  | { readonly outcome: "done"; readonly row: T }
  | { readonly outcome: "conflict"; readonly current: T }
  | { readonly outcome: "missing" };

/** The changed row. @throws HuishiError VERSION_CONFLICT with the newer row, or what `missing` makes. */
export function settle<T>(versioned: Versioned<T>, missing: () => HuishiError): T {
  if (versioned.outcome === "done") return versioned.row;
  if (versioned.outcome === "missing") throw missing();
  throw new HuishiError(
    "VERSION_CONFLICT",
    "Somebody changed this in the meantime; look at the newer version and make your change again.",
    { details: { current: versioned.current } },
  );
}
