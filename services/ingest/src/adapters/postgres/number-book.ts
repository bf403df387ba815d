import type { Pool } from "@huishi/platform";
import type { EventRow } from "../../domain/records.ts";

/** A datastream's narrow number, by property and unit. */
interface Datastream {
  readonly no: number;
  readonly observedProperty: string;
  readonly unit: string;
}

type Observation = Extract<EventRow["event"], { type: "observation" }>;

function noIn(streams: readonly Datastream[], observedProperty: string, unit: string): number | undefined {
  for (const one of streams) {
    if (one.observedProperty === observedProperty && one.unit === unit) return one.no;
  }
  return undefined;
}

interface Sensor {
  readonly agentId: string;
  readonly datastreams: Datastream[];
}

/** Beyond this many entries a book is begun anew: numbers never change, so forgetting costs a look-up. */
const MAX_KNOWN = 200_000;
/** Outbox starts remembered; a city has as many as agents, and an attacker no more than this. */
const MAX_SOURCES = 50_000;

/**
 * The narrow numbers that rows carry instead of names: of outbox starts and of datastreams, made at first sight.
 * A number is committed before any row that carries it, and never changes.
 */
export class NumberBook {
  readonly #pool: Pool;
  readonly #sources = new Map<string, Map<string, number>>();
  #knownSources = 0;
  #sensors = new Map<string, Sensor>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Makes sure that every number which these rows need is known. */
  async prepare(rows: readonly EventRow[]): Promise<void> {
    const sources = new Map<string, EventRow>();
    const streams = new Map<string, EventRow>();
    let last: EventRow | null = null;
    for (const row of rows) {
      if (last?.boot !== row.boot || last.agentId !== row.agentId) {
        if (!this.#sources.get(row.agentId)?.has(row.boot)) sources.set(`${row.agentId}/${row.boot}`, row);
        last = row;
      }
      const { event } = row;
      if (event.type !== "observation") {
        if ("sensorId" in event && !this.#sensors.has(event.sensorId)) streams.set(event.sensorId, row);
      } else if (this.#find(event.sensorId, event.observedProperty, event.unit) === undefined) {
        streams.set(`${event.sensorId} ${event.observedProperty} ${event.unit}`, row);
      }
    }
    if (sources.size > 0) await this.#learnSources([...sources.values()]);
    if (streams.size > 0) await this.#learnSensors([...streams.values()]);
  }

  /** Number of the outbox start; `prepare` has made it known. */
  sourceNo(agentId: string, boot: string): number {
    const no = this.#sources.get(agentId)?.get(boot);
    if (no === undefined) throw new RangeError("the number of an outbox start was not prepared");
    return no;
  }

  /** Number of the datastream; `prepare` has made it known. */
  datastreamNo(sensorId: string, observedProperty: string, unit: string): number {
    const no = this.#find(sensorId, observedProperty, unit);
    if (no === undefined) throw new RangeError("the number of a datastream was not prepared");
    return no;
  }

  /** The numbers of an observation by its sensor's own agent, or null when they are not all known yet. */
  numbersOf(row: EventRow, event: Observation): { datastreamNo: number; sourceNo: number } | null {
    const sensor = this.#sensors.get(event.sensorId);
    if (sensor?.agentId !== row.agentId) return null;
    const datastreamNo = noIn(sensor.datastreams, event.observedProperty, event.unit);
    const sourceNo = this.#sources.get(row.agentId)?.get(row.boot);
    return datastreamNo === undefined || sourceNo === undefined ? null : { datastreamNo, sourceNo };
  }

  /** sensor id -> agent id, of every sensor seen. */
  readonly sensorOwners: Pick<ReadonlyMap<string, string>, "get"> = {
    get: (sensorId) => this.#sensors.get(sensorId)?.agentId,
  };

  #find(sensorId: string, observedProperty: string, unit: string): number | undefined {
    return noIn(this.#sensors.get(sensorId)?.datastreams ?? [], observedProperty, unit);
  }

  async #learnSources(rows: readonly EventRow[]): Promise<void> {
    const values = [rows.map(({ agentId }) => agentId), rows.map(({ boot }) => boot)];
    await this.#pool.query(
      `INSERT INTO event_source (agent_id, boot)
       SELECT DISTINCT agent_id, boot FROM unnest($1::text[], $2::text[]) AS given (agent_id, boot)
       WHERE NOT EXISTS (SELECT 1 FROM event_source AS s WHERE s.agent_id = given.agent_id AND s.boot = given.boot)
       ON CONFLICT DO NOTHING`,
      values,
    );
    const result = await this.#pool.query<{ no: number; agent_id: string; boot: string }>(
      `SELECT s.no, s.agent_id, s.boot FROM event_source AS s
       JOIN unnest($1::text[], $2::text[]) AS given (agent_id, boot) USING (agent_id, boot)`,
      values,
    );
    if (this.#knownSources + result.rows.length > MAX_SOURCES) {
      this.#sources.clear();
      this.#knownSources = 0;
    }
    for (const { no, agent_id, boot } of result.rows) {
      const ofAgent = this.#sources.get(agent_id) ?? new Map<string, number>();
      this.#sources.set(agent_id, ofAgent.set(boot, no));
      this.#knownSources += 1;
    }
  }

  /** A sensor belongs to the agent that spoke of it first. */
  async #learnSensors(rows: readonly EventRow[]): Promise<void> {
    const sensors = rows.flatMap(({ agentId, event }) =>
      "sensorId" in event ? [{ id: event.sensorId, agent_id: agentId }] : [],
    );
    await this.#pool.query(
      `INSERT INTO sensor (id, agent_id, name)
       SELECT DISTINCT ON (id) id, agent_id, id FROM jsonb_to_recordset($1::jsonb) AS t (id text, agent_id text)
       ON CONFLICT DO NOTHING`,
      [JSON.stringify(sensors)],
    );
    const observed = rows.flatMap(({ agentId, event }) =>
      event.type === "observation"
        ? [{ id: event.sensorId, agent_id: agentId, property: event.observedProperty, unit: event.unit }]
        : [],
    );
    await this.#pool.query(
      `INSERT INTO datastream (sensor_id, observed_property, unit)
       SELECT DISTINCT t.id, t.property, t.unit
       FROM jsonb_to_recordset($1::jsonb) AS t (id text, agent_id text, property text, unit text)
       JOIN sensor USING (id, agent_id)
       ON CONFLICT DO NOTHING`,
      [JSON.stringify(observed)],
    );
    await this.#readSensors([...new Set(sensors.map(({ id }) => id))]);
  }

  async #readSensors(ids: readonly string[]): Promise<void> {
    const result = await this.#pool.query<{ id: string; agent_id: string; streams: Datastream[] | null }>(
      `SELECT sensor.id, sensor.agent_id,
              jsonb_agg(jsonb_build_object('no', d.no, 'observedProperty', d.observed_property, 'unit', d.unit))
                FILTER (WHERE d.no IS NOT NULL) AS streams
       FROM sensor LEFT JOIN datastream AS d ON d.sensor_id = sensor.id
       WHERE sensor.id = ANY($1::text[]) GROUP BY sensor.id`,
      [ids],
    );
    if (this.#sensors.size + result.rows.length > MAX_KNOWN) this.#sensors = new Map();
    for (const { id, agent_id, streams } of result.rows) {
      this.#sensors.set(id, { agentId: agent_id, datastreams: streams ?? [] });
    }
  }
}
