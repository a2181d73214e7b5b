import { encode } from "../../src/protocol/codec.ts";
import {
  CurveClient,
  command,
  commandBody,
  frame,
  greeting,
  message,
  metadata,
  plainHello,
  restOf,
} from "../support/zmtp.ts";
import type { Mutator } from "./mutate.ts";

/** The socket types and keys with which a peer is let in at a port. */
export interface Way {
  /** The socket types that the port lets in. */
  readonly types: readonly string[];
  readonly password: string | undefined;
  readonly serverKey: Buffer | undefined;
}

/** The next bytes of a peer; undefined while the peer has not received what it waits for. */
export type Step = (heard: Buffer) => Buffer | undefined;

const allTypes = [
  "REQ",
  "REP",
  "DEALER",
  "ROUTER",
  "PUB",
  "SUB",
  "XPUB",
  "XSUB",
  "PULL",
  "STREAM",
  "",
];
const names = [
  Buffer.alloc(0),
  Buffer.from("006b8b4567", "hex"),
  Buffer.from("0000000001", "hex"),
  Buffer.alloc(255, "n"),
];

/**
 * A valid conversation in ZMTP 2.0 or 3, chosen at random: a handshake, then some messages and
 * commands.
 */
export async function conversation(mutator: Mutator, way: Way): Promise<Step[]> {
  const minor = mutator.below(2);
  const { types, password, serverKey } = way;
  const type = mutator.pick(mutator.below(8) > 0 ? types : allTypes);
  const about = metadata(type, mutator.pick(names));
  const kinds = [
    "NULL",
    "ZMTP 2.0",
    ...(password ? ["PLAIN", "PLAIN", "PLAIN", "PLAIN"] : []),
    ...(serverKey ? ["CURVE", "CURVE", "CURVE", "CURVE"] : []),
  ];
  const kind = mutator.pick(kinds);
  const talk = Array.from({ length: mutator.below(4) }, () => words(mutator));
  if (kind === "ZMTP 2.0") {
    const older = Buffer.concat([greeting().subarray(0, 10), Buffer.of(1, mutator.below(12))]);
    return [
      said(Buffer.concat([older, frame(mutator.pick(names))])),
      said(Buffer.concat(talk.map(plain))),
    ];
  }
  const opening = said(greeting(kind, { minor }));
  if (kind === "PLAIN") {
    const isKnown = mutator.below(4) > 0;
    return [
      opening,
      said(plainHello(isKnown ? (password as string) : "a guess")),
      behind("WELCOME", () => command("INITIATE", about)),
      behind("READY", () => Buffer.concat(talk.map(plain))),
    ];
  }
  if (kind === "CURVE") {
    const client = await CurveClient.of(serverKey as Buffer);
    return [
      opening,
      said(client.hello()),
      behind("WELCOME", (welcome) => client.initiate(welcome, about)),
      behind("READY", () => {
        const frames = talk.flatMap(({ flags, bodies }) =>
          bodies.map((body, at) => {
            const isLast = at === bodies.length - 1;
            return client.seal(body, flags === 4 ? 2 : isLast ? 0 : 1);
          }),
        );
        return Buffer.concat(frames);
      }),
    ];
  }
  return [
    opening,
    said(command("READY", about)),
    behind("READY", () => Buffer.concat(talk.map(plain))),
  ];
}

function said(bytes: Buffer): Step {
  return () => bytes;
}

/** @param next gives the bytes to send once the peer has received a command of that name */
function behind(name: string, next: (rest: Buffer) => Buffer): Step {
  return (heard) => {
    const rest = restOf(heard, name);
    return rest && next(rest);
  };
}

interface Words {
  readonly flags: number;
  readonly bodies: readonly Uint8Array[];
}

function plain({ flags, bodies }: Words): Buffer {
  return flags === 4 ? frame(bodies[0] as Uint8Array, 4) : message(...bodies);
}

const empty = Buffer.alloc(0);

/** One message or command that any peer may send. */
function words(mutator: Mutator): Words {
  const request = encode({ service: mutator.pick(["time", "users", "list", "health"]), data: {} });
  const topic = mutator.random(mutator.pick([0, 1, 8, 320, 321]));
  const asCommand = (name: string, rest: Uint8Array) => ({
    flags: 4,
    bodies: [commandBody(name, rest)],
  });
  return mutator.pick<() => Words>([
    () => ({ flags: 0, bodies: [empty, request] }),
    () => ({ flags: 0, bodies: [request] }),
    () => ({ flags: 0, bodies: [mutator.random(16), empty, request] }),
    () => ({ flags: 0, bodies: [Buffer.from("geral"), mutator.random(300)] }),
    () => ({ flags: 0, bodies: [Buffer.concat([Buffer.of(1), topic])] }),
    () => ({ flags: 0, bodies: [Buffer.concat([Buffer.of(0), topic])] }),
    () => ({ flags: 0, bodies: Array.from({ length: 15 + mutator.below(4) }, () => empty) }),
    () => asCommand("SUBSCRIBE", topic),
    () => asCommand("CANCEL", topic),
    () => asCommand("PING", Buffer.concat([Buffer.alloc(2), mutator.random(mutator.below(40))])),
    () => asCommand("PONG", empty),
    () => asCommand("ERROR", Buffer.from("\u0004 no!")),
    () => asCommand(mutator.pick(["JOIN", "X", "n".repeat(200)]), mutator.random(8)),
  ])();
}
