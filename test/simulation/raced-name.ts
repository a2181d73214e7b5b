import type { RequestId, UserName } from "../../src/protocol/ids.ts";
import type { CoreCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { NamesModel } from "./names-model.ts";

interface Claiming {
  /** The name to claim: "eva", or a name that looks the same. */
  readonly as?: string;
  readonly onTold?: () => void;
}

/** The claims of one name in a fixed schedule, and the answers to these claims. */
export class RacedName {
  readonly #cluster: CoreCluster;
  readonly #tell: (text: string) => void;
  readonly #model = new NamesModel();

  constructor(cluster: CoreCluster, tell: (text: string) => void) {
    this.#cluster = cluster;
    this.#tell = tell;
  }

  claim(server: VirtualServer, id: string, { as = "eva", onTold = () => {} }: Claiming = {}): void {
    const name = as as UserName;
    const told = { name, id: id as RequestId, password: "x", byWhom: server.name };
    const { password } = told;
    const request = { service: "register", user: name, password, id: told.id } as const;
    this.#cluster.askParsed(
      server,
      { ...request, clock: 0, timestamp: undefined, after: undefined },
      ({ status, code }) => {
        this.#tell(`${server.name} answers ${id}: ${code ?? status}`);
        if (status === "OK") this.#model.tell({ ...told, what: "won" });
        else if (code === "name_taken") this.#model.tell({ ...told, what: "taken" });
        onTold();
      },
    );
  }

  /** Checks the answers; called when all faults are over. */
  check(): void {
    this.#model.check(this.#cluster.servers);
  }
}
