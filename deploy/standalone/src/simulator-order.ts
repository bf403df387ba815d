// What the launcher and the simulator's process tell each other over IPC.

export interface SimulatorOrder {
  readonly cacheDir: string;
  /** The account that every simulated camera asks for. */
  readonly username: string;
  readonly password: string;
  /** `videoFile` null: the generated scene. */
  readonly cameras: readonly {
    readonly name: string;
    readonly serial: string;
    readonly videoFile: string | null;
  }[];
}

export type PlayedCamera =
  | { readonly serial: string; readonly onvifUrl: string }
  | { readonly serial: string; readonly fault: { readonly code: string; readonly message: string } };

export interface SimulatorAnswer {
  readonly cameras: readonly PlayedCamera[];
}
