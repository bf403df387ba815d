// What the centre says to the agent: commands and their replies.
import { CommandDesk } from "./application/command-desk.ts";
import type { CentreListener, Log, ReplyLink } from "./application/ports.ts";

export interface CommandParts {
  /** Parts register the handlers of their commands here. */
  readonly desk: CommandDesk;
  readonly centre: CentreListener;
}

/** The event connection hands `centre` what it hears; replies go back by `replies`. */
export function composeCommand(options: { readonly log: Log; readonly replies: ReplyLink }): CommandParts {
  const desk = new CommandDesk(options);
  return {
    desk,
    centre: {
      onConfig: () => undefined,
      onCommand: (command) => desk.take(command),
      onConnected: () => desk.connected(),
    },
  };
}
