import { HuishiError } from "@huishi/kernel";
import type { ConnectionFault } from "./guarded-connection.ts";

/** Why a client was turned away; the label of a metric and a field of the log. */
export type RefusalReason =
  | ConnectionFault
  | "TLS_HANDSHAKE"
  | "TOO_MANY_UNAUTHENTICATED"
  | "BAD_CREDENTIALS"
  | "AGENT_REVOKED"
  | "FOREIGN_CLIENT_ID"
  | "FOREIGN_WILL"
  | "DIRECTORY_UNAVAILABLE"
  | "FOREIGN_TOPIC"
  | "FOREIGN_SUBSCRIPTION";

/** CONNACK return codes of MQTT 3.1.1 §3.2.2.3. */
const CONNACK_CODES: Partial<Record<RefusalReason, number>> = {
  FOREIGN_CLIENT_ID: 2,
  DIRECTORY_UNAVAILABLE: 3,
  BAD_CREDENTIALS: 4,
  FOREIGN_WILL: 5,
  // Told apart from a wrong secret, and said to nobody who does not know the right one.
  AGENT_REVOKED: 5,
};

/** The error in the form aedes wants: `returnCode` goes into the CONNACK. */
export function refusal(reason: RefusalReason): Error & { returnCode: number } {
  const error = new HuishiError(`MQTT_${reason}`, `the MQTT client was refused: ${reason}`);
  return Object.assign(error, { returnCode: CONNACK_CODES[reason] ?? 5 });
}
