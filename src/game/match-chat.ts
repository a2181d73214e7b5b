import type { Connection } from "../client/connection.ts";
import type { Session } from "../client/session.ts";
import { isExistingChannel, ProtocolError } from "../protocol/errors.ts";
import { parseChannelName, type RequestId, type UserName } from "../protocol/ids.ts";
import type { MatchId } from "../protocol/matches.ts";

/** What a player says in a match. */
export interface Said {
  readonly user: UserName;
  readonly token: string | undefined;
  readonly match: MatchId;
  readonly text: string;
  /** Equal for each repetition of the message; undefined if the client does not tell repetitions. */
  readonly id: string | undefined;
}

/** The chat of a match is a channel of the cluster. The first player that speaks or hears makes it. */
export class MatchChat {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws ProtocolError that the cluster gives as the reason of a refusal */
  async say({ user, token, match, text, id }: Said): Promise<void> {
    const session = this.#connection.session({ user, token });
    const channel = channelOf(match);
    const options = { id: id as RequestId | undefined };
    try {
      await session.publish(channel, text, options);
    } catch (error) {
      const isNew = error instanceof ProtocolError && error.code === "channel_not_found";
      if (!isNew) throw error;
      await create(session, match);
      await session.publish(channel, text, options);
    }
  }

  /** Hears what is said in a match from now on, until the result is disposed of. */
  async hear(
    { user, token, match }: Pick<Said, "user" | "token" | "match">,
    onSaid: (user: UserName, text: string) => void,
  ): Promise<Disposable> {
    const session = this.#connection.session({ user, token });
    await create(session, match);
    await session.subscribe({ channel: channelOf(match) }, (entry) => {
      if ("channel" in entry) onSaid(entry.user, entry.message);
    });
    return session;
  }
}

function channelOf(match: MatchId) {
  return parseChannelName(`match-${match}`);
}

async function create(session: Session, match: MatchId): Promise<void> {
  try {
    await session.createChannel(channelOf(match));
  } catch (error) {
    // The other player was first.
    if (!isExistingChannel(error)) throw error;
  }
}
