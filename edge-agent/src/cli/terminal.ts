import type { LogLevelName } from "./log-lines.ts";
import type { Language, Texts } from "./texts.ts";

/** What a command reads and writes. */
export interface Terminal {
  readonly language: Language;
  readonly texts: Texts;
  readonly isJson: boolean;
  readonly configFile: string;
  readonly interfaceAddress: string | undefined;
  /** Which lines of the log are wanted. */
  readonly logs: {
    readonly isFollowed: boolean;
    readonly level: LogLevelName;
    readonly cameraId: string | undefined;
  };
  readonly signal: AbortSignal;
  /** One line of the result, to standard output. */
  print(line: string): void;
  /** Progress and questions, to standard error: a script that reads the result never sees them. */
  tell(text: string): void;
  /** First line of standard input, trimmed; at most 256 characters. */
  readLine(): Promise<string>;
}

/** A line fit for a terminal: what a device calls itself may hold escape sequences. */
export function plainText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "·");
}

export type Command = (terminal: Terminal) => Promise<number>;
