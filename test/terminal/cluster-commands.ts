import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { CliProcess, clusterVariables, type Ended } from "./cli-process.ts";

/** A cluster of three servers, and a method that runs commands against it. */
export class ClusterCommands implements AsyncDisposable {
  readonly cluster: LocalCluster;
  readonly env: Readonly<Record<string, string>>;

  private constructor(cluster: LocalCluster) {
    this.cluster = cluster;
    this.env = {
      ...clusterVariables(cluster.endpoints),
      TERTULIA_DATA: cluster.folder,
      XDG_STATE_HOME: cluster.folder,
    };
  }

  static async start(): Promise<ClusterCommands> {
    return new ClusterCommands(await LocalCluster.start());
  }

  async run(args: readonly string[], input?: string): Promise<Ended> {
    using command = new CliProcess(args, this.env);
    return await command.end(input);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster[Symbol.asyncDispose]();
  }
}
