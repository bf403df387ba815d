import { messageOf } from "@huishi/kernel";
import type { Language } from "../texts.ts";

type Advice = Readonly<Record<Language, string>>;

/** What a check saw, and what to do about it. */
export interface Finding {
  readonly level: "ok" | "warn" | "fail";
  readonly saw: string;
  readonly advice?: Advice;
}

export interface Check {
  readonly name: string;
  run(signal: AbortSignal): Promise<Finding>;
}

export const fine = (saw: string): Finding => ({ level: "ok", saw });
export const doubtful = (saw: string, advice: Advice): Finding => ({ level: "warn", saw, advice });
export const failed = (saw: string, advice: Advice): Finding => ({ level: "fail", saw, advice });

/** A check whose every throw is a failure with this advice. Ends after `timeoutMs`. */
export function check(
  name: string,
  advice: Advice,
  look: (signal: AbortSignal) => Promise<Finding>,
  timeoutMs = 5_000,
): Check {
  return {
    name,
    async run(signal) {
      try {
        return await look(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      } catch (error) {
        signal.throwIfAborted();
        return failed(messageOf(error), advice);
      }
    },
  };
}
