// What the centre says to the agent: configuration, commands and their replies.
import type { AgentCamera, ConfigState } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { ConfigurationFile } from "./adapters/state-files/configuration-file.ts";
import { CredentialVaultFile } from "./adapters/state-files/credential-vault-file.ts";
import { type CameraFleet, type ConfiguredCamera } from "./application/camera-fleet.ts";
import { CommandDesk } from "./application/command-desk.ts";
import { type Configurable, Configuration } from "./application/configuration.ts";
import { credentialHandler, type CredentialVault } from "./application/credential-desk.ts";
import type { CentreListener, Log, ReplyLink } from "./application/ports.ts";
import { type CameraParts, configuredAddress, configuredKeeper } from "./compose-cameras.ts";
import type { ComposedCentre } from "./compose-centre.ts";
import type { ComposedDiscovery } from "./compose-discovery.ts";
import { edgeFaultCode } from "./domain/faults.ts";

/** The reply goes out on the old connection. */
const RECONNECT_AFTER_MS = 1_000;
/** A revoked agent asks again this often. */
const REVOKED_RETRY_MS = 300_000;

export interface CommandParts {
  /** Parts register the handlers of their commands here. */
  readonly desk: CommandDesk;
  /** Parts that follow the configuration are added here, before `start`. */
  readonly configuration: Configuration;
  readonly centre: CentreListener;
  /** Applies the stored configuration. */
  start(): Promise<void>;
  /** Runs the events connection: ends it when the secret changed, rests for minutes when the agent is revoked. */
  runConnection(run: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The event connection hands `centre` what it hears; replies go back by `replies`. */
export async function composeCommand(options: {
  readonly log: Log;
  readonly stateDir: string;
  readonly replies: ReplyLink;
  readonly known: ComposedCentre;
  readonly cameras: CameraParts;
  /** The site's networks and who of them is adopted follow the configuration, before its cameras do. */
  readonly site: Pick<ComposedDiscovery, "follow">;
  /** Cameras of the local file: they win. */
  readonly localIds: ReadonlySet<string>;
  /** A broker refuses for reasons of its own. */
  readonly behindBroker: boolean;
  fleet(): Pick<CameraFleet, "setConfigured">;
  onState(state: ConfigState): void;
}): Promise<CommandParts> {
  const { log, stateDir, known, replies } = options;
  const { identity, keys, secret } = known;
  const desk = new CommandDesk({ log, replies });
  const vault = await CredentialVaultFile.open(stateDir, keys.store, log);
  const configuration = new Configuration({
    store: new ConfigurationFile(stateDir),
    log,
    onState: options.onState,
  });
  const cameras = configuredCameras({ ...options, vault });
  configuration.add(options.site.follow);
  configuration.add(cameras);
  let session = new AbortController();
  const reconnect = (): void => {
    setTimeout(() => session.abort(new Error("the secret changed")), RECONNECT_AFTER_MS).unref();
  };

  desk.register(
    "credential",
    credentialHandler({
      agentId: identity.agentId,
      keys: keys.seal,
      vault,
      onChanged: () => void cameras.apply(configuration.current),
    }),
  );
  desk.register("rotate_secret", async (_body, signal) => {
    await secret.rotate(signal);
    reconnect();
    return {};
  });
  return {
    desk,
    configuration,
    centre: {
      onConfig: (config) => configuration.offer(config),
      onUnreadableConfig: (revision, why) => configuration.refuseUnreadable(revision, why),
      onCommand: (command) => desk.take(command),
      onConnected: () => {
        desk.connected();
        void secret.accepted();
      },
    },
    start: () => configuration.restore(),
    async runConnection(run, signal) {
      session = new AbortController();
      try {
        await run(AbortSignal.any([signal, session.signal]));
      } catch (error) {
        const code = edgeFaultCode(error);
        if (code === "AGENT_REFUSED") secret.refused();
        if (code === "AGENT_REVOKED" && !options.behindBroker) {
          log.error({ err: error, retryDelayMs: REVOKED_RETRY_MS }, "this agent was revoked");
          await sleep(REVOKED_RETRY_MS, signal).catch(() => undefined);
        }
        throw error;
      }
    },
    async close() {
      await desk.close();
      await configuration.settle();
    },
  };
}

/** The configuration's cameras, with the accounts that came sealed. */
function configuredCameras(parts: {
  readonly cameras: CameraParts;
  readonly vault: CredentialVault;
  readonly localIds: ReadonlySet<string>;
  fleet(): Pick<CameraFleet, "setConfigured">;
}): Configurable {
  const toRun = (camera: AgentCamera): ConfiguredCamera => {
    const { id, name, onvif, rtsp, device } = camera;
    const account = parts.vault.accountOf(id);
    const config = {
      id,
      ...(name === undefined ? {} : { name }),
      ...(onvif === undefined ? {} : { onvif }),
      ...(rtsp === undefined ? {} : { rtsp }),
      ...(device === undefined ? {} : { device }),
      ...(account && { username: account.username, password: account.password }),
    };
    return {
      id,
      version: JSON.stringify([name, onvif, rtsp, device, account?.atMs]),
      address: configuredAddress(config),
      factory: configuredKeeper(config, parts.cameras),
    };
  };
  return {
    name: "cameras",
    async apply(config) {
      const wanted = (config?.cameras ?? []).filter(({ id }) => !parts.localIds.has(id));
      await parts.fleet().setConfigured(wanted.map(toRun));
    },
  };
}
