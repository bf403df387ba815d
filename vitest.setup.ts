// Property tests explore: every run on a developer's machine takes a new seed (a failure prints it). CI takes the same
// one each time, so that a change is judged by what it changed. HUISHI_SEED repeats a run anywhere.
import fc from "fast-check";

const fixed = process.env["HUISHI_SEED"] ?? (process.env["CI"] === undefined ? undefined : "20261123");
if (fixed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(fixed) });
