import { decode } from "./codec.ts";
import { PeerMessageError } from "./errors.ts";
import { type Fields, fieldsOf, isMap, type Kinds, type KindTable } from "./fields.ts";
import {
  type CoordinationAnswer,
  coordinationAnswers,
  must,
  type PeerRequest,
  peerRequests,
  type ReplicationMessage,
  replication,
  type SnapshotPage,
  type SyncAnswer,
  snapshotPage,
  syncAnswer,
} from "./peer-messages.ts";

function decodeMap(payload: Uint8Array): Fields {
  let value: unknown;
  try {
    value = decode(payload);
  } catch {
    throw new PeerMessageError("it is not MessagePack");
  }
  return must(isMap, "it is no map")(value);
}

/**
 * @throws PeerMessageError if the table has no parser for `word`, the value of the field that `tag`
 * names
 */
function parseKind<Table extends KindTable, Tag extends string>(
  table: Table,
  tag: Tag,
  { word, fields }: { readonly word: unknown; readonly fields: Fields },
): Kinds<Tag, Table> {
  const parse = typeof word === "string" && Object.hasOwn(table, word) ? table[word] : undefined;
  if (parse === undefined) throw new PeerMessageError(`\`${tag}\` is unknown`);
  return { [tag]: word, ...parse(fields) } as Kinds<Tag, Table>;
}

/** @throws PeerMessageError if the payload is invalid */
export function parseReplication(payload: Uint8Array): ReplicationMessage {
  const fields = decodeMap(payload);
  return parseKind(replication, "type", { word: fields.type, fields });
}

function parseService<Table extends KindTable>(payload: Uint8Array, table: Table) {
  const { service, data } = decodeMap(payload);
  return parseKind(table, "service", { word: service, fields: fieldsOf(data) });
}

/** @throws PeerMessageError if the payload is invalid */
export function parsePeerRequest(payload: Uint8Array): PeerRequest {
  return parseService(payload, peerRequests);
}

/** @throws PeerMessageError if the payload is invalid */
export function parseCoordinationAnswer(payload: Uint8Array): CoordinationAnswer {
  return parseService(payload, coordinationAnswers);
}

/** @throws PeerMessageError if the payload is invalid */
export function parseSyncAnswer(payload: Uint8Array): SyncAnswer {
  return syncAnswer(fieldsOf(decodeMap(payload).data));
}

/** @throws PeerMessageError if the payload is invalid */
export function parseSnapshotPage(payload: Uint8Array): SnapshotPage {
  return snapshotPage(fieldsOf(decodeMap(payload).data));
}
