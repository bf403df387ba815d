import { severityOf } from "@huishi/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { alarm, detection, health, motion } from "../../test-support/outbox-contract.ts";
import { type PendingEvent, PendingEvents } from "./pending-events.ts";

const MAKERS = [detection, motion, health, alarm];
const pending = (severity: number, atMs: number, bytes = 1): PendingEvent => ({
  draft: (MAKERS[severity] as typeof motion)(atMs),
  agentAtMs: atMs,
  bytes,
  settle: () => undefined,
});

test("keeps the order, and gives up by severity when it is full, whatever comes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(3), { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (severities, maxEvents) => {
        const waiting = new PendingEvents({ maxEvents, maxBytes: 1e9 });
        const gone = severities.flatMap((severity, i) => waiting.push(pending(severity, i)));
        const left = waiting.take({ maxEvents: 100, maxBytes: 1e9 });
        expect(left.length + gone.length).toBe(severities.length);
        expect(left.map(({ agentAtMs }) => agentAtMs)).toEqual(
          left.map(({ agentAtMs }) => agentAtMs).toSorted((a, b) => a - b),
        );
        if (gone.length === 0) return;
        expect(left).toHaveLength(maxEvents);
        const of = (events: PendingEvent[]) => events.map(({ draft }) => severityOf(draft.type));
        // What stays is at least as grave as the bulk of what went.
        const best = [...severities].sort((a, b) => b - a).slice(0, maxEvents);
        expect(of(left).toSorted((a, b) => b - a)).toEqual(best);
      },
    ),
  );
});

test("is bounded in bytes, too", () => {
  const waiting = new PendingEvents({ maxEvents: 100, maxBytes: 10 });
  waiting.push(pending(1, 0, 6));
  expect(waiting.push(pending(2, 1, 6)).map(({ agentAtMs }) => agentAtMs)).toEqual([0]);
  expect(waiting.push(pending(0, 2, 6)).map(({ agentAtMs }) => agentAtMs)).toEqual([2]);
  expect(waiting.take({ maxEvents: 9, maxBytes: 1 }).map(({ agentAtMs }) => agentAtMs)).toEqual([1]);
});
