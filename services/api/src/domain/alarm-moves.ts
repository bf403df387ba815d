import { ALARM_MOVES, type AlarmMove, type AlarmState } from "@huishi/contracts";

/** The moves that are legal from a state, in the order in which people are offered them. */
export function legalMoves(state: AlarmState): AlarmMove[] {
  return (Object.keys(ALARM_MOVES) as AlarmMove[]).filter((move) =>
    (ALARM_MOVES[move].from as readonly AlarmState[]).includes(state),
  );
}

export type MoveDecision =
  | { readonly legal: true; readonly to: AlarmState }
  | { readonly legal: false; readonly state: AlarmState; readonly legalMoves: readonly AlarmMove[] };

/** What a move does to an alarm in `state`; an illegal one tells the state and what would be legal. */
export function decideMove(state: AlarmState, move: AlarmMove): MoveDecision {
  const legal = legalMoves(state);
  return legal.includes(move)
    ? { legal: true, to: ALARM_MOVES[move].to }
    : { legal: false, state, legalMoves: legal };
}
