import type { AgentSensor, DatastreamMapping, SensorThreshold } from "@huishi/contracts";
import { EdgeError } from "../faults.ts";
import { type JsonPointer, parsePointer } from "./json-pointer.ts";
import { isBitTable, type Register, registerLength } from "./registers.ts";
import { parseTopicFilter } from "./topic-filter.ts";
import { unitCode, unitConverter } from "./units.ts";

export const DEFAULT_POLL_MS = 10_000;

/** A datastream whose mapping has been checked. */
export interface DatastreamPlan {
  readonly observedProperty: string;
  /** UCUM code of what is stored; limits, range and deadband are in it. */
  readonly unit: string;
  readonly pointer: JsonPointer;
  readonly register: Register | null;
  /** Raw number -> stored unit. */
  readonly convert: (raw: number) => number;
  readonly min: number;
  readonly max: number;
  readonly expectedIntervalMs: number | null;
  readonly deadband: number;
  readonly thresholds: readonly SensorThreshold[];
}

/** A sensor whose configuration has been checked. */
export interface SensorPlan {
  readonly sensor: AgentSensor;
  readonly datastreams: readonly DatastreamPlan[];
  readonly timePointer: JsonPointer | null;
}

/**
 * Checks a sensor's configuration and makes it ready for use.
 *
 * @throws EdgeError SENSOR_CONFIG_INVALID, UNIT_UNKNOWN, UNIT_MISMATCH
 */
export function planSensor(sensor: AgentSensor): SensorPlan {
  const { source, timePointer } = sensor;
  if (source.kind === "mqtt") parseTopicFilter(source.topic);
  if (source.kind === "modbus_tcp" && timePointer !== undefined) {
    throw invalid(sensor, "Modbus registers have no timePointer");
  }
  checkNames(sensor);
  return {
    sensor,
    datastreams: sensor.datastreams.map((mapping) => planDatastream(sensor, mapping)),
    timePointer: timePointer === undefined ? null : parsePointer(timePointer),
  };
}

/** @throws EdgeError of the first sensor that is wrong, or SENSOR_CONFIG_INVALID for an id that stands there twice */
export function planSensors(sensors: readonly AgentSensor[]): SensorPlan[] {
  const ids = new Set<string>();
  for (const sensor of sensors) {
    if (ids.has(sensor.id)) throw invalid(sensor, "the id stands there twice");
    ids.add(sensor.id);
  }
  return sensors.map(planSensor);
}

function checkNames(sensor: AgentSensor): void {
  const properties = sensor.datastreams.map(({ observedProperty }) => observedProperty);
  const doubled = properties.find((name, i) => properties.indexOf(name) !== i);
  if (doubled !== undefined) throw invalid(sensor, `${doubled} is observed twice`);
  const ids = new Set<string>();
  for (const { id, observedProperty, when, limit, clearAt = limit } of sensor.thresholds ?? []) {
    if (ids.has(id)) throw invalid(sensor, `the threshold ${id} stands there twice`);
    ids.add(id);
    if (!properties.includes(observedProperty)) {
      throw invalid(sensor, `the threshold ${id} names ${observedProperty}, which is not observed`);
    }
    if (when === "above" ? clearAt > limit : clearAt < limit) {
      throw invalid(sensor, `the threshold ${id} would be cleared while it still holds`);
    }
  }
}

function planDatastream(sensor: AgentSensor, mapping: DatastreamMapping): DatastreamPlan {
  const { observedProperty, unit, sourceUnit = unit, scale = 1, offset = 0 } = mapping;
  const { min = -Infinity, max = Infinity } = mapping;
  const fail = (what: string): EdgeError => invalid(sensor, `${observedProperty} ${what}`);
  if (scale === 0) throw fail("has the scale 0");
  if (min > max) throw fail("has a min above its max");
  const isModbus = sensor.source.kind === "modbus_tcp";
  if (isModbus && (mapping.register === undefined || mapping.pointer !== undefined)) {
    throw fail("needs a register and no pointer");
  }
  if (!isModbus && (mapping.pointer === undefined || mapping.register !== undefined)) {
    throw fail("needs a pointer and no register");
  }
  if (mapping.register) checkRegister(mapping.register, fail);
  const toStored = unitConverter(sourceUnit, unit);
  return {
    observedProperty,
    unit: unitCode(unit),
    pointer: parsePointer(mapping.pointer ?? ""),
    register: mapping.register ?? null,
    convert: scale === 1 && offset === 0 ? toStored : (raw) => toStored(scaled(raw, scale, offset)),
    min,
    max,
    expectedIntervalMs: mapping.expectedIntervalMs ?? pollInterval(sensor),
    deadband: mapping.deadband ?? 0,
    thresholds: (sensor.thresholds ?? []).filter((limit) => limit.observedProperty === observedProperty),
  };
}

/** 1234 * 0.01 is 12.34, not 12.340000000000002. */
const scaled = (raw: number, scale: number, offset: number): number =>
  Number((raw * scale + offset).toPrecision(15));

function pollInterval({ source }: AgentSensor): number | null {
  return source.kind === "modbus_tcp" ? (source.pollMs ?? DEFAULT_POLL_MS) : null;
}

function checkRegister(register: Register, fail: (what: string) => EdgeError): void {
  if (isBitTable(register.table) !== (register.type === "bit")) {
    throw fail("needs the type bit for coils and discrete inputs, and another one for registers");
  }
  if (register.address + registerLength(register) > 65_536) throw fail("reaches beyond register 65535");
}

function invalid({ id }: AgentSensor, what: string): EdgeError {
  return new EdgeError("SENSOR_CONFIG_INVALID", `sensor ${id}: ${what}`, { details: { sensorId: id } });
}
