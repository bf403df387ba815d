/** Connections and sessions of one camera: real ones have fewer. */
export const MAX_CONNECTIONS = 128;
export const MAX_SESSIONS = 64;
