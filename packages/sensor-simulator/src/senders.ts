import { connectAsync } from "mqtt";

/** Takes one message of a simulated sensor. */
export interface Sender {
  send(values: Record<string, number>, atMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Publishes `{ ...values, time }` to a topic, QoS 1. */
export async function mqttSender(options: {
  readonly url: string;
  readonly topic: string;
  readonly username?: string;
  readonly password?: string;
}): Promise<Sender> {
  const { url, topic, ...account } = options;
  const client = await connectAsync(url, { ...account, connectTimeout: 5_000, reconnectPeriod: 1_000 });
  return {
    send: async (values, atMs) => {
      await client.publishAsync(topic, JSON.stringify({ ...values, time: atMs }), { qos: 1 });
    },
    close: () => client.endAsync(),
  };
}

/** Posts `{ ...values, time }`. */
export function httpSender(options: { readonly url: string; readonly token?: string }): Sender {
  const { url, token } = options;
  return {
    send: async (values, atMs) => {
      const answer = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ ...values, time: atMs }),
        signal: AbortSignal.timeout(5_000),
      });
      if (!answer.ok) throw new Error(`the listener answered ${answer.status}`);
    },
    close: () => Promise.resolve(),
  };
}
