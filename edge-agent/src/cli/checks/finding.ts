import { messageOf } from "@huishi/kernel";
import type { Language } from "../texts.ts";

/** A text in every language of the commands. */
export type Words = Readonly<Record<Language, string>>;

/** What a check saw, and what to do about it. */
export interface Finding {
  readonly level: "ok" | "warn" | "fail";
  readonly saw: Words;
  readonly advice?: Words;
}

export interface Check {
  readonly name: Words;
  run(signal: AbortSignal): Promise<Finding>;
}

export const words = (en: string, zh: string): Words => ({ en, zh });
/** What no language changes: an address, a version. */
export const asIs = (text: string): Words => ({ en: text, zh: text });

export const fine = (saw: Words): Finding => ({ level: "ok", saw });
export const doubtful = (saw: Words, advice: Words): Finding => ({ level: "warn", saw, advice });
export const failed = (saw: Words, advice: Words): Finding => ({ level: "fail", saw, advice });

/** What the system says most often, by its code (errno(3), getaddrinfo(3)). */
const SYSTEM_FAULTS: Readonly<Record<string, Words>> = {
  ECONNREFUSED: words("nothing listens there (ECONNREFUSED)", "对方没有监听此端口（ECONNREFUSED）"),
  ECONNRESET: words("the connection was cut (ECONNRESET)", "连接被对方中断（ECONNRESET）"),
  EHOSTUNREACH: words("no way to that host (EHOSTUNREACH)", "无法到达该主机（EHOSTUNREACH）"),
  ENETUNREACH: words("no way to that network (ENETUNREACH)", "无法到达该网络（ENETUNREACH）"),
  ETIMEDOUT: words("no answer in time (ETIMEDOUT)", "等待应答超时（ETIMEDOUT）"),
  ENOTFOUND: words("the name is not known (ENOTFOUND)", "域名无法解析（ENOTFOUND）"),
  EAI_AGAIN: words("the name server does not answer (EAI_AGAIN)", "DNS 服务器没有应答（EAI_AGAIN）"),
  EACCES: words("not permitted for this user (EACCES)", "此用户没有权限（EACCES）"),
  EPERM: words("not permitted (EPERM)", "不允许此操作（EPERM）"),
  EROFS: words("the file system is read-only (EROFS)", "文件系统只读（EROFS）"),
  ENOSPC: words("the disk is full (ENOSPC)", "磁盘已满（ENOSPC）"),
  EADDRNOTAVAIL: words("this machine has no such address (EADDRNOTAVAIL)", "本机没有此地址（EADDRNOTAVAIL）"),
};
const NO_ANSWER = words("no answer in time", "等待应答超时");

/** A fault in both languages; what is not in the table is told as the system tells it. */
export function faultWords(error: unknown): Words {
  const { name, code, cause } = (error ?? {}) as { name?: string; code?: unknown; cause?: unknown };
  if (typeof code === "string" && Object.hasOwn(SYSTEM_FAULTS, code)) return SYSTEM_FAULTS[code] as Words;
  if (name === "TimeoutError" || name === "AbortError") return NO_ANSWER;
  // A fault of ours says what it is; the system's own word below it says it in both languages.
  return cause === undefined || cause === error ? asIs(messageOf(error)) : faultWords(cause);
}

/** A check whose every throw is a failure with this advice. Ends after `timeoutMs`. */
export function check(
  name: Words,
  advice: Words,
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
        return failed(faultWords(error), advice);
      }
    },
  };
}
