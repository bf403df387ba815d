import {
  BUS_DEMAND_LEASE_MS,
  type BusDemand,
  type Sampling,
  type StreamKey,
  strongerSampling,
} from "@huishi/contracts";
import { isDeepStrictEqual } from "node:util";

interface Member {
  /** Stream name to what it needs of it. */
  streams: Map<string, { readonly key: StreamKey; readonly sampling: Sampling }>;
  /** The list that is being told. */
  gathered: Map<string, { readonly key: StreamKey; readonly sampling: Sampling }>;
  nextPart: number;
  endsAtMs: number;
}

export interface DemandChanges {
  /** Streams of which more or less is wanted now. */
  readonly changed: readonly StreamKey[];
  /** Streams that this member did not want before: it has no picture of them yet. */
  readonly joined: readonly StreamKey[];
}

/** Processes at most; beyond it newcomers are ignored. */
const MAX_MEMBERS = 256;

/** What other processes want of the media bus, each until its lease ends. */
export class RemoteDemands {
  readonly #members = new Map<string, Member>();

  /** Takes one part of a member's list. */
  take(demand: BusDemand, nowMs: number): DemandChanges {
    const member = this.#members.get(demand.member) ?? this.#newMember(demand);
    if (!member) return { changed: [], joined: [] };
    member.endsAtMs = nowMs + BUS_DEMAND_LEASE_MS;
    if (demand.part === 0) member.gathered = new Map();
    else if (demand.part !== member.nextPart) return { changed: [], joined: [] };
    member.nextPart = demand.part + 1;
    const before = this.#samplings();
    const joined: StreamKey[] = [];
    for (const { cameraId, profile, sampling } of demand.streams) {
      const key = { cameraId, profile };
      const name = streamName(key);
      if (!member.streams.has(name)) joined.push(key);
      member.gathered.set(name, { key, sampling });
      // Wanted as soon as it is named, whatever parts are still to come.
      member.streams.set(name, { key, sampling });
    }
    if (member.nextPart === demand.parts) member.streams = member.gathered;
    if (member.streams.size === 0) this.#members.delete(demand.member);
    return { changed: this.#difference(before), joined };
  }

  /** Forgets members whose lease has ended. */
  expire(nowMs: number): readonly StreamKey[] {
    const late = [...this.#members].filter(([, { endsAtMs }]) => endsAtMs <= nowMs);
    if (late.length === 0) return [];
    const before = this.#samplings();
    for (const [id] of late) this.#members.delete(id);
    return this.#difference(before);
  }

  /** What satisfies every other process, or null when none wants the stream. */
  samplingOf(key: StreamKey): Sampling | null {
    const name = streamName(key);
    let strongest: Sampling | null = null;
    for (const { streams } of this.#members.values()) {
      const wanted = streams.get(name);
      if (wanted) strongest = strongest ? strongerSampling(strongest, wanted.sampling) : wanted.sampling;
    }
    return strongest;
  }

  isWanted(key: StreamKey): boolean {
    const name = streamName(key);
    for (const { streams } of this.#members.values()) if (streams.has(name)) return true;
    return false;
  }

  keys(): StreamKey[] {
    return [...this.#samplings().values()].map(({ key }) => key);
  }

  get memberCount(): number {
    return this.#members.size;
  }

  #newMember({ member: id, streams, part }: BusDemand): Member | null {
    if (streams.length === 0 || part !== 0 || this.#members.size >= MAX_MEMBERS) return null;
    const member: Member = { streams: new Map(), gathered: new Map(), nextPart: 0, endsAtMs: 0 };
    this.#members.set(id, member);
    return member;
  }

  #samplings(): Map<string, { key: StreamKey; sampling: Sampling }> {
    const all = new Map<string, { key: StreamKey; sampling: Sampling }>();
    for (const { streams } of this.#members.values()) {
      for (const [name, { key, sampling }] of streams) {
        const known = all.get(name);
        all.set(name, { key, sampling: known ? strongerSampling(known.sampling, sampling) : sampling });
      }
    }
    return all;
  }

  #difference(before: ReadonlyMap<string, { key: StreamKey; sampling: Sampling }>): StreamKey[] {
    const after = this.#samplings();
    const changed = [...after].filter(
      ([name, { sampling }]) => !isDeepStrictEqual(before.get(name)?.sampling, sampling),
    );
    const gone = [...before].filter(([name]) => !after.has(name));
    return [...changed, ...gone].map(([, { key }]) => key);
  }
}

export const streamName = ({ cameraId, profile }: StreamKey): string => `${cameraId}/${profile}`;
