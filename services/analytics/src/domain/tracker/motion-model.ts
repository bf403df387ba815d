/**
 * Kalman filter of one coordinate whose velocity is an Ornstein-Uhlenbeck process: it wanders around zero with a
 * standard deviation and forgets itself over a time constant (R. A. Singer 1970, with velocity in place of
 * acceleration). So one pair of numbers says both how fast a new object may be and how long a hidden one keeps
 * its course, at any frame rate: all integrals are exact in dt.
 */
export interface Axis {
  position: number;
  velocity: number;
  /** Covariance of (position, velocity). */
  pp: number;
  pv: number;
  vv: number;
}

/** An axis first measured at `position`, with measurement variance `noise` and a velocity not yet known. */
export function newAxis(position: number, noise: number, velocityVariance: number): Axis {
  return { position, velocity: 0, pp: noise, pv: 0, vv: velocityVariance };
}

/** Moves the axis on by `dt` seconds. */
export function predictAxis(axis: Axis, dt: number, velocityVariance: number, timeConstant: number): void {
  if (dt <= 0) return;
  const keep = Math.exp(-dt / timeConstant);
  const reach = timeConstant * (1 - keep);
  axis.position += axis.velocity * reach;
  axis.velocity *= keep;
  const { pp, pv, vv } = axis;
  axis.pp =
    pp +
    2 * reach * pv +
    reach * reach * vv +
    velocityVariance *
      timeConstant *
      timeConstant *
      Math.max(0, (2 * dt) / timeConstant - 3 + 4 * keep - keep * keep);
  axis.pv = keep * (pv + reach * vv) + velocityVariance * timeConstant * (1 - keep) * (1 - keep);
  axis.vv = keep * keep * vv + velocityVariance * (1 - keep * keep);
}

/** Lets the position be no less certain than a standard deviation, and what it says of the velocity with it. */
export function settle(axis: Axis, deviation: number): void {
  const share = Math.min(1, deviation ** 2 / axis.pp);
  axis.pp *= share;
  axis.pv *= share;
}

/** Takes in a measurement of variance `noise`. */
export function correctAxis(axis: Axis, measured: number, noise: number): void {
  const total = axis.pp + noise;
  const gain = axis.pp / total;
  const velocityGain = axis.pv / total;
  const surprise = measured - axis.position;
  axis.position += gain * surprise;
  axis.velocity += velocityGain * surprise;
  axis.vv -= velocityGain * axis.pv;
  axis.pv *= 1 - gain;
  axis.pp *= 1 - gain;
}

/** A quantity that walks at random: the logarithm of a box's width or height. */
export interface Level {
  value: number;
  variance: number;
}

export function correctLevel(level: Level, measured: number, noise: number): void {
  const gain = level.variance / (level.variance + noise);
  level.value += gain * (measured - level.value);
  level.variance *= 1 - gain;
}
