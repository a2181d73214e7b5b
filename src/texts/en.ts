import type { ErrorCode } from "../protocol/errors.ts";

/**
 * The English texts that the program shows to people, except for problems at start (S19). A value
 * replaces each `{name}`.
 */
export const en = {
  // The protocol's errors, a sentence for each code.
  "error.bad_request": "The server could not make sense of the request: {description}",
  "error.unknown_service": "The server does not offer this service.",
  "error.too_large": "That is too long for one message or request.",
  "error.name_invalid":
    'A name has 1 to 64 letters of one script, digits, "_", "-" or "."; it does not begin with "." or contain invisible characters.',
  "error.name_taken": "That name is taken.",
  "error.id_reused":
    "Nothing was done: another request had the same id before. Try again, and the request gets a new id.",
  "error.channel_exists": "A channel with that name already exists.",
  "error.channel_not_found":
    "There is no such channel: `tertulia channels` lists all, `tertulia create` creates one.",
  "error.user_not_found": "There is no such user: nobody with that name has ever logged in.",
  "error.sold_out": "This pack is sold out: tertulia shop shows what is left.",
  "error.too_few_coins": "You have too few coins for this pack: tertulia shop shows yours.",
  "error.card_not_owned":
    "One of the cards belongs to somebody else now: tertulia cards shows yours.",
  "error.trade_not_found":
    "There is no such offer to you, or it is over: tertulia shop shows yours.",
  "error.seated": "One of the two users already sits in another match.",
  "error.term_passed": "Another game server holds the match now, so nothing was done.",
  "error.not_in_match": "You sit in no match: tertulia duel looks for one.",
  "error.match_over": "The match is over.",
  "error.not_started": "Both players must choose their cards first.",
  "error.already_ready": "You have chosen your cards already.",
  "error.deck_wrong":
    "A player plays with 5 to 30 different cards that they own: tertulia shop buy basic sells five.",
  "error.not_your_turn": "It is not your turn.",
  "error.card_not_in_hand": "This card is not in your hand.",
  "error.card_does_not_beat": "Only a card whose attribute beats the played one counters it.",
  "error.already_played": "You have already played in this round.",
  "error.too_few_points": "You have too few points for this card.",
  "error.too_early": "The time is not over yet.",
  "error.move_unknown": "This game has no such move.",
  "error.match_not_found":
    "There is no such match, or it is over: tertulia matches NAME shows a user's matches.",
  "error.hook_not_found": "There is no such hook, or it was revoked: tertulia hooks lists yours.",
  "error.unauthenticated": "You have to log in first.",
  "error.forbidden": "You may not do that.",
  "error.rate_limited": "That was too much at once: wait {wait} s.",
  "error.expired":
    "Nothing was done now: this request is so old that no server knows any more what came of it.",
  "error.behind": "The server has not caught up with what you have seen: try again in a moment.",
  "error.unavailable":
    "This needs a majority of the servers, or their database, which is not available: try again in a moment.",
  "error.internal": "The server failed: its log has the details.",
  "error.unsupported": "The server's answer lacks what this program needs: {description}",
  "original.accepted":
    "The server speaks only the original protocol: it answered OK, but has no receipts and no history.",
  "original.refused": "The server speaks only the original protocol, and refused: {words}",
  "original.unreadable":
    "The server's answer to `{service}` can't be understood, so it is unknown whether the request was carried out.",
  "original.noService": "The server speaks only the original protocol, which has no `{service}`.",
  "original.silent":
    "The server speaks only the original protocol and did not answer `{service}`, so it is unknown whether the request was carried out.",

  // The reasons of refusals: a reason is more precise than the error's code.
  "reason.no_accounts": "This cluster has no accounts: its servers run with --auth open.",
  "reason.no_session": "This cluster has accounts, and you are not logged in.",
  "reason.session_unknown": "Your session does not belong to this cluster.",
  "reason.session_expired": "Your session has expired: it was not used for hours.",
  "reason.password_changed": "Your session has ended because the password was changed.",
  "reason.password_wrong": "The name or the password is wrong.",
  "reason.account_locked": "An administrator has locked this account.",
  "reason.not_administrator": "Only an administrator may do that.",
  "reason.other_user": "Your session belongs to another user.",
  "reason.registration_closed": "Registration is closed here: ask an administrator for an account.",
  "reason.invitation_wanted":
    "You need an administrator's invitation to register here: --invitation TEXT.",
  "reason.name_in_use":
    "That name, or one that looks the same, is already in use: only an administrator can create its account.",
  "reason.name_confusable":
    "That name looks like an existing one, and people would mix them up: choose another.",
  "reason.too_many_channels":
    "You have created as many channels as one user may; an administrator can remove some.",
  "reason.channel_removed":
    "An administrator has removed that channel; only an administrator can restore it.",
  "reason.too_many_trades":
    "You have too many open offers, or too many to this user: drop one first.",
  "reason.too_many_hooks":
    "You have reached the limit of hooks for one user: use a hook that you have, or revoke one first.",
  "reason.upgrade_unfinished":
    "A server of this cluster may be of an older version: upgrade all servers first.",

  // Problems on the client's side.
  "problem.noBroker":
    "No broker answers at {endpoints}: start one with `tertulia up`, or name yours with --broker.",
  "problem.noServer": "A broker is running, but no server answered within {seconds} s.",
  "problem.noReference":
    "No reference answers at {endpoints}: start it, or name yours with --reference.",
  "problem.keyWanted":
    "The cluster at {endpoints} requires encryption: give its key, as tcp://host:port#key or with --server-key-file.",
  "problem.keyUnwanted":
    "The cluster at {endpoints} is not encrypted, but a key was given for it: leave the key out, or start the cluster with --curve.",
  "problem.otherKey":
    "The cluster at {endpoints} ended the connection: its key is not the one that was given.",
  "problem.referenceSilent":
    "The reference at {endpoints} does not accept the secret from {origin}: copy the secret of a member.",
  "problem.referenceRefused": "The reference refused: {description}",
  "problem.secret": "This requires the cluster's secret. {description}",
  "problem.serverName": '"{name}" is not the name of a server; `tertulia status` lists them.',
  "problem.target": "\"{target}\" is not a target: write '#channel' (in quotes) or @user.",
  "problem.name":
    '"{name}" is not a name: 1 to 64 letters, digits, "_", "-" or ".", and no "." at the beginning.',
  "problem.noUser": "Say who you are: --user NAME, or TERTULIA_USER in the environment.",
  "problem.messageTooLong": "A message may have at most {most} characters; nothing was sent.",
  "problem.messageEmpty": "There is no text to send.",
  "problem.chatFolder":
    "The chat's files are in {folder}, which can't be used ({code}): check its owner and mode.",
  "problem.fileCopied":
    "A part of {path} can't be understood and is not sent; {copy} is a complete copy.",
  "problem.fileDamaged":
    "{path} is damaged: the parts that can't be understood are missing here. {aside} has the file as it was.",
  "problem.fileUnreadable":
    "{path} can't be read ({code}), so its contents are missing here; the file is left as it is.",
  "problem.noFolder":
    "The chat has no folder for its files: set HOME or XDG_STATE_HOME to an absolute path.",
  "problem.output": "The output can't be written ({code}), so it is incomplete.",
  "problem.outputClosed": "The output was closed before all of it was written ({code}).",
  "problem.outputFull":
    "The output is incomplete: there is no space left where it is written ({code}).",
  "problem.outbox":
    "Messages that wait to be sent are kept in {folder}, where {path} can't be used ({code}): check its type, owner and mode.",
  "problem.outboxFolderFull":
    "Messages that wait to be sent are kept in {folder}, where no space is left ({code}): free some and start again.",
  "problem.outboxFull":
    "The message was not accepted: {count} others wait to be sent. Try again when some have been sent.",
  "problem.outboxNoSpace":
    "The message was not accepted: there is no space left in {folder}. Free some and send it again.",
  "problem.outboxNotWritten":
    "The message was not accepted: {folder} can't be written to ({code}). Check its disk, owner and mode.",
  "problem.since":
    '"{value}" is neither a vector in JSON nor a date or time that exists, such as 2026-01-31 or 2026-01-31T08:00:00Z.',
  "problem.sinceVector": '"{value}" is not a vector such as {"server_0a1b2c3d":7}.',
  "problem.limit": '--limit: "{value}" won\'t do: give a whole number from 1 to {most}.',
  "problem.timeout": '--timeout: "{value}" won\'t do: give seconds, from 0.1 to 3600.',
  "problem.lang": '--lang: "{value}" won\'t do: give en or pt-br.',
  "problem.logIn": "Log in with: tertulia login {user}",
  "problem.noTrace":
    "No server remembers {of}: the servers keep only the newest steps (with PostgreSQL, none), so trace a newer message, or send one: tertulia trace --send '#channel' TEXT.",
  "problem.noTraceNorGame":
    "No server remembers {of}, and no game server answers at {games}: if it is an action in a match, name the game servers by --game.",
  "problem.traceArguments":
    "Give an id (tertulia trace ID), or a channel and a text (tertulia trace --send '#channel' TEXT).",
  "problem.traceForms": "Choose one of --svg, --shiviz and --json.",
  "problem.password":
    "A password is needed: type it, give it on standard input, or use --password-file.",
  "problem.passwordsDiffer": "The two passwords differ: nothing was changed.",
  "problem.passwords": "Two lines are needed: the old password, then the new one.",
  "problem.pack": 'There is no pack "{pack}": take one of {packs}.',
  "problem.match": '"{match}" is no match: its id has 16 hex digits, such as 0a1b2c3d4e5f6a7b.',
  "problem.rules": '--rules: "{rules}" won\'t do: give clash or duel.',
  "problem.count": '"{number}" is no whole number.',
  "problem.registration": '"{mode}" is not a mode: use open, closed or invitation.',
  "problem.notATerminal": "The menu needs a terminal; without one, use `tertulia chat`.",
  "problem.healthRole": "Say which role to ask: {roles} (or TERTULIA_ROLE in the environment).",
  "problem.trials":
    "The test bench is not part of this image or package: run `npm run tertulia -- chaos` in the sources.",
  "problem.unexpected": "Something unexpected went wrong: {message}",
  "problem.unsent": "Not everything was done: {count} failed.",

  // Wrong use of the command line.
  "usage.unknownOption": "There is no option {what}.",
  "usage.unknownCommand": "There is no command {what}.",
  "usage.missingArgument": "{what} is missing.",
  "usage.optionMissingArgument": "The option {what} needs a value.",
  "usage.excessArguments": "There are too many arguments: put a text with spaces in quotes.",
  "usage.dashText":
    "Put -- before a text that begins with a dash, after all options: tertulia send TARGET -- TEXT.",
  "usage.didYouMean": "Did you mean {what}?",
  "usage.seeHelp": "See: {command} --help",

  // Questions and answers of the commands.
  "prompt.password": "Password: ",
  "prompt.newPassword": "New password: ",
  "prompt.passwordAgain": "Once more: ",
  "done.login": "{user} is logged in.",
  "done.register": "{user} is registered.",
  "done.password": "{user} has a new password; older sessions have ended.",
  "done.lock": "The account of {user} is locked.",
  "done.unlock": "The account of {user} is no longer locked.",
  "done.promote": "{user} is now an administrator.",
  "done.demote": "{user} is no longer an administrator.",
  "done.add": "{user} now has an account.",
  "done.reset": "{user} has a new password.",
  "done.registration.open": "Anybody may register.",
  "done.registration.closed": "Nobody may register.",
  "done.registration.invitation": "Anybody with this invitation may register: {invitation}",
  "done.removeChannel":
    "The channel #{channel} has been removed. What was written there stays on disk.",
  "done.restoreChannel":
    "The channel #{channel} has been restored, with all that was written there.",
  "done.addHook":
    "Send messages by POST to this path at a gateway: the hook {name} writes them to #{channel} in your name. Anybody with the path can use it, and no command shows it again:",
  "done.removeHook": "The hook {hook} is revoked.",
  "line.coins": "You have {coins} coins.",
  "line.pack": "{pack}: {price} coins, {cards}{left}",
  "line.packsLeft": "; {left} left",
  "line.stock": "In stock: {cards}",
  "line.card": "{card}  {name}, {rarity}, {attribute}, power {power}",
  "line.offer": "Offer {trade}: {by} gives {give} to {to} for {want}",
  "done.buy": "You bought the pack {pack}, and have {coins} coins left.",
  "done.supply": "Of the pack {pack}, {left} are for sale from now on.",
  "done.supplyAny": "The pack {pack} is for sale as long as the cards last.",
  "done.offer": "Offered. {user} accepts by: tertulia cards accept {trade}",
  "done.acceptOffer": "The cards of offer {trade} are exchanged.",
  "done.dropOffer": "Offer {trade} is dropped.",
  "done.deck": "Your deck has {count} cards.",
  "done.voidMatch": "The match {match} is over, and does not count.",
  "line.deck": "Deck: {cards}",
  "line.record": "{user}: rating {rating}; {won} won, {lost} lost, {drawn} drawn",
  "line.ranked": "{place}. {user}: rating {rating}; {won} won, {lost} lost, {drawn} drawn",
  "line.openMatch":
    "{match}  {rules}, {first} against {second}: open, term {term}, host {host}, shadow {shadow}",
  "line.endedMatch":
    "{match}  {rules}, {first} against {second}: {result}; ratings {rating} and {other}, {time}",
  "line.matchWon": "{winner} has won",
  "line.matchDrawn": "a draw",
  "line.matchVoid": "void",
  "card.dragon": "Dragon",
  "card.warrior": "Warrior",
  "card.mage": "Mage",
  "card.angel": "Angel",
  "card.demon": "Demon",
  "card.phoenix": "Phoenix",
  "card.titan": "Titan",
  "card.mermaid": "Mermaid",
  "card.wolf": "Wolf",
  "card.eagle": "Eagle",
  "card.lion": "Lion",
  "card.tiger": "Tiger",
  "card.knight": "Knight",
  "card.archer": "Archer",
  "card.barbarian": "Barbarian",
  "card.paladin": "Paladin",
  "rarity.common": "common",
  "rarity.uncommon": "uncommon",
  "rarity.rare": "rare",
  "rarity.legendary": "legendary",
  "attribute.fire": "fire",
  "attribute.plant": "plant",
  "attribute.water": "water",
  "line.hook": "{hook}  {name} → #{channel}, made {time}",
  "done.create": "The channel #{channel} has been created.",
  "done.send": "Sent to {target}; servers that have it on disk: {count}.",
  "done.sendOriginal":
    "Sent to {target}: the server answered OK, but speaks only the original protocol and gives no receipt.",
  "done.loginOriginal": "{user} is logged in, on a server that speaks only the original protocol.",
  "done.createOriginal":
    "The channel #{channel} exists, on a server that speaks only the original protocol.",
  "done.remove": "{name} is no longer in the view.",
  "note.listening": "Listening to {target}; Ctrl-C ends it.",
  "note.missed": "Some earlier messages are missing here: the servers no longer keep them.",
  "note.seen": "To continue from here: --since '{seen}'",
  "note.older": "There is more before this: --before '{cursor}'",
  "note.foundNothing": "Nothing was found.",
  "note.newer": "There is more: --since '{seen}'",
  "note.loggedInFirst": "{user} was new and is now logged in.",
  "note.notKept":
    "The session ends with this command because it can't be saved in {folder} ({code}): check its owner and mode.",
  "note.noFolder":
    "The session ends with this command because there is no folder for it: set HOME or XDG_STATE_HOME to an absolute path.",
  "state.reconnecting": "The connection was lost; trying again …",
  "state.connected": "Connected again.",
  "state.gaveUp": "No broker for a minute; still trying in the background.",

  // `verify` and `status`.
  "verify.nothing": "There is no server's folder in {folder}.",
  "verify.good":
    "{folder}: intact; {savedEvents} events in the saved state, {journalEvents} in the journal",
  "verify.bad":
    "{folder}: DAMAGED; {savedEvents} events in the saved state, {journalEvents} intact in the journal",
  "verify.torn":
    "{folder}: {tornBytes} bytes at the end may never have been synced; the next start cuts them off",
  "verify.damaged":
    "Damaged places: {count}. The next start repairs them from the other members, if there are any.",
  "doctor.problem": "Problem:",
  "doctor.warning": "Warning:",
  "doctor.note": "Note:",
  "doctor.ok": "OK:",
  "doctor.oneProblem": "This host has a problem.",
  "doctor.problems": "This host has {count} problems.",
  "doctor.stopped": "The check was stopped before its end; run it again.",
  "finding.node": "This host runs Node {node}.",
  "finding.nodeOld":
    "This host runs Node {node}, and the program needs {least}. Install a newer Node.",
  "finding.openFiles": "A process may have {openFiles} files and connections open.",
  "finding.openFilesFew":
    "A process may have only {openFiles} files and connections open, and a broker with many clients needs {least}. Raise the limit: ulimit -n, or LimitNOFILE in the unit.",
  "finding.memory": "There are {memoryMiB} MiB of memory.",
  "finding.memoryLittle":
    "There are only {memoryMiB} MiB of memory, and a server should have {least}. Give the machine or the container more.",
  "finding.names": "These host names are known: {names}.",
  "finding.nameUnknown":
    "The host name {name} of {flags} is unknown here. Correct it, or add it to DNS or to /etc/hosts.",
  "finding.portFree": "{endpoint} is free for the {role}.",
  "finding.portOurs": "The {role} runs at {endpoint}.",
  "finding.portUnready":
    "The {role} at {endpoint} is not ready: {reason}. If that lasts for minutes, its log says what it waits for.",
  "finding.portTaken":
    "{endpoint} is taken, and no {role} with these settings answers there. Stop what uses the port (`ss -ltnp` shows it), or choose another one.",
  "finding.portUnusable":
    "The {role} can't bind {endpoint} ({code}). Give an address of this machine, and a port that this user may bind.",
  "finding.secret": "The secret in {origin} is long enough, and no other user can read it.",
  "finding.secretToCreate":
    "There is no secret at {path}. The first process creates it; if the cluster has other machines, copy theirs first.",
  "finding.secretMissing":
    "There is no secret at {path}. Copy it from another machine of the cluster.",
  "finding.secretUnreadable":
    "The secret at {path} can't be read ({code}). Check its owner and mode.",
  "finding.secretShort":
    "The secret in {origin} is shorter than {least} characters. Copy the secret of the other machines, or make one: openssl rand -hex 32.",
  "finding.secretOpen":
    "Other users of this machine can read the secret (mode {mode}). Run: chmod 600 {origin}",
  "finding.secretOwner":
    "The secret {origin} belongs to the user with the ID {owner}, and the processes run as the user with the ID {wanted}. Run: chown {wanted} {origin}",
  "finding.key": "The public key in {path} fits these settings.",
  "finding.keyMissing":
    "The public key can't be read at {path} ({code}). Copy public/server.key from the data folder of the reference.",
  "finding.keyInvalid":
    "{path} has no public key. Copy public/server.key from the data folder of the reference again.",
  "finding.keyNone":
    "{path} says that the cluster is not encrypted, but --curve says that it is. Copy the file from the reference again, or turn --curve off.",
  "finding.keyUnused":
    "{path} has the key of an encrypted cluster, but --curve is off here. Turn --curve on, as for all processes of the cluster.",
  "finding.keyDiffers":
    "The key in {path} does not belong to this host's secret. Copy the secret and the key from the same cluster.",
  "finding.gatewayKey": "The gateways' key in {path} belongs to this host's secret.",
  "finding.gatewayKeyUnchecked":
    "{path} has the form of a gateways' key. Without the secret, whether the key is this cluster's can't be checked here.",
  "finding.gatewayKeyToCreate":
    "There is no gateways' key at {path}. The reference writes it when it starts; if the reference runs on another machine, copy its gateway/key.",
  "finding.gatewayKeyMissing":
    "The gateways' key can't be read at {path} ({code}). Copy gateway/key from the data folder of the reference, and check the file's owner and mode.",
  "finding.gatewayKeyInvalid":
    "{path} has no gateways' key. Copy gateway/key from the data folder of the reference again.",
  "finding.gatewayKeyOpen":
    "Other users of this machine can read the gateways' key (mode {mode}). Run: chmod 600 {path}",
  "finding.gatewayKeyDiffers":
    "The gateways' key in {path} does not belong to this host's secret. Copy the secret and the key from the same cluster.",
  "finding.data": "The data folder {path} can be written.",
  "finding.dataToCreate": "The data folder {path} does not exist; the first process creates it.",
  "finding.dataUnusable":
    "The data folder {path} can't be written ({code}). Check its owner and mode, or name another folder by --data.",
  "finding.dataOwner":
    "The data folder {path} belongs to the user with the ID {owner}, and your ID is {user}. Run the processes as its owner.",
  "finding.dataOnNetwork":
    "The data folder {path} is on a file system of the type {type}, where locks and syncs are not reliable. Use a local disk.",
  "finding.dataInMemory":
    "The data folder {path} is in memory, so a restart of the machine deletes it. Use a disk.",
  "finding.space": "The disk of {path} has {freeMiB} MiB left.",
  "finding.spaceLow":
    "The disk of {path} is nearly full, with {freeMiB} MiB left. Free some space: a server ends when the disk is full.",
  "finding.sync":
    "The disk of {path} syncs a line in {medianMs} ms (median; the slowest took {mostMs} ms).",
  "finding.syncSlow":
    "The disk of {path} syncs a line in {medianMs} ms (median; the slowest took {mostMs} ms), and every message waits for two such disks. Use a faster one, or find what else writes to it.",
  "finding.syncVerySlow":
    "The disk of {path} syncs a line in {medianMs} ms (median; the slowest took {mostMs} ms): people will wait for each message. Use a faster disk.",
  "finding.reached": "{endpoint} answers ({flag}).",
  "finding.nothingAnswers":
    "Not checked, because nothing answers at {endpoints}: the cluster's settings, versions and clock.",
  "finding.refused":
    "No process listens at {endpoint} ({flag}). Start the process on its machine, or correct the setting.",
  "finding.silent":
    "{endpoint} ({flag}) can't be reached. Check that its machine runs, and open the port in the firewalls on the way.",
  "finding.foreign":
    "At {endpoint} ({flag}) a program answers that does not speak ZeroMQ. Correct the setting.",
  "finding.sameSettings": "The cluster agrees with these settings: {flags}.",
  "finding.curveMissing":
    "The cluster is encrypted, and this host has no key for it. Members need --curve, clients --server-key-file.",
  "finding.curveUnwanted":
    "The cluster is not encrypted, and this host has --curve or a key. Turn encryption off here, or on for all processes.",
  "finding.otherKey":
    "The cluster's key is not the key of this host. Copy the secret, or public/server.key, from the cluster again.",
  "finding.otherSecret":
    "The reference does not accept this host's secret. Copy it from another machine, and use the same --cluster.",
  "finding.otherAuth":
    "Servers of the cluster run with --auth {there}, and this host has --auth {here}. Use the same everywhere.",
  "finding.noServer":
    "Not checked, because no server answers at {endpoints}: --auth, and the cluster's time.",
  "finding.version": "The program has the version of the cluster, {version}.",
  "finding.versionOlder":
    "The program has version {version}, and processes of the cluster run {newest}. Upgrade it on this host.",
  "finding.versionNewer":
    "The program has version {version}, and the newest of the cluster is {newest}: upgrade the other machines too.",
  "finding.clock": "This machine's clock is {offsetMs} ms away from the time at {endpoint}.",
  "finding.clockOff":
    "This machine's clock is {offsetMs} ms away from the time at {endpoint}. Set it, and turn on time synchronisation (NTP).",

  // `backup` and `restore`.
  "backup.done":
    "The backup has everything up to {newest}. Channels: {channels}, publications: {publications}, private messages: {messages}, users: {users}, accounts: {accounts}.",
  "backup.exists": "{file} exists already, and no backup is overwritten: name another file.",
  "backup.noFolder": "There is no folder {folder}: make it, or name another file.",
  "backup.inUse": "Another backup is writing {file}: wait for it, or name another file.",
  "backup.unwritable":
    "The folder {folder} can't be written ({code}): check its owner and mode, or name another file.",
  "backup.otherFolder":
    "{folder} is needed for unfinished files, but has other files or is not a folder: move it elsewhere.",
  "backup.keyUnreadable": "The key file {path} can't be read ({code}): check it.",
  "backup.keyShort":
    "The key in {path} is shorter than {least} characters: make one with `openssl rand -hex 32`.",
  "backup.noReference":
    "No reference at {endpoints} answers with the secret from {origin}: start it, name yours with --reference, or copy the secret of a member.",
  "backup.noMajority":
    "Servers that answered: {answered} of {of}, and {quorum} are needed to have every message: start the others again.",
  "backup.engine":
    "The servers have an engine, and no data of their own: back up their PostgreSQL, such as by pg_dump.",
  "backup.another": "{server} can't finish the copy ({why}); trying another server.",
  "backup.full": "{file} can't be written, because the disk is full: free some space.",
  "backup.stopped": "The backup was stopped; {file} was not written.",
  "backup.failed": "{file} was not written ({why}): try again.",
  "restore.stopped": "The restore was stopped, and no server was made: run it again.",
  "restore.done":
    "Restored into {folder} from the backup of {made}, which has everything up to {newest}. Channels: {channels}, publications: {publications}, private messages: {messages}, users: {users}, accounts: {accounts}.",
  "restore.next":
    "Start this server first: `tertulia up --data {folder}`, or `tertulia server --data {folder}` beside the other processes. Servers with empty folders then fetch everything from it.",
  "restore.used":
    "The data folder {folder} has a server or a reference already: name an empty one by --data.",
  "restore.inUse": "Another restore is writing to {folder}: wait for it, or name another folder.",
  "restore.encrypted": "{file} is encrypted: name its key file by --key-file.",
  "restore.plain": "{file} is not encrypted: leave out --key-file.",
  "restore.wrongKey":
    "{file} can't be decrypted: name the key file with which it was made; if this is that key file, the backup is damaged.",
  "restore.newer":
    "{file} was made by the newer version {version}: restore it with that version or a later one.",
  "restore.unreadable": "{file} can't be read ({code}): check its path, owner and mode.",
  "restore.damaged":
    "{file} is damaged or incomplete ({why}), and nothing was restored: use another backup.",
  "migrate.noEngine":
    "No engine is named: name the PostgreSQL by --engine, such as postgres://host/database.",
  "migrate.used":
    "The schema {schema} of the engine has a cluster already: name an empty database or schema by --engine.",
  "migrate.running":
    "Servers use the schema {schema} of the engine: stop them, wait ten seconds, and run this again.",
  "migrate.damaged":
    "{file} is damaged or incomplete ({why}), and nothing was moved: use another backup.",
  "migrate.stopped": "The move was stopped, and nothing was moved: run it again.",
  "migrate.failed": "Nothing was moved ({why}): correct this, and run it again.",
  "migrate.lost":
    "The engine was lost before it confirmed the move ({why}): run it again, and if the schema then has a cluster, the move is done.",
  "migrate.done":
    "The engine's schema {schema} has everything that the backup has, up to {newest}.",
  "migrate.same":
    "The backup's files, chains and counts are right, and all rows were read back as they were written: {counts}. Channels with publications, each compared: {channels}. Sum of the SHA-256 of all rows: {digest}.",
  "migrate.next":
    "Start servers with this --engine, the cluster's secret and no old server's folder. Do not start the old servers again.",

  "secret.action": '"{action}" is not a step: say add, switch or drop.',
  "secret.inEnvironment":
    "The secret is in TERTULIA_SECRET, which no command can change: change the variable yourself, one secret on each line.",
  "secret.full": "{file} already has {most} secrets: drop one first (tertulia secret drop).",
  "secret.single": "{file} has only one secret: add another one first (tertulia secret add).",
  "secret.add": "{file} has a new secret: processes will use {used}, and also accept {others}.",
  "secret.switch":
    "{file} has another first secret: processes will use {used}, and also accept {others}.",
  "secret.drop": "{file} no longer has {dropped}.",
  "secret.restart":
    "Now copy the file to every machine with the secret, and restart every process with the secret, one after the other.",
  "secret.addNext":
    "When tertulia status says that all processes use {used} and also accept {others}, continue with: tertulia secret switch",
  "secret.switchNext":
    "When tertulia status says that all processes use {used} and also accept {others}, give clients the new public key (with --curve), give gateways their new key, and continue with: tertulia secret drop",
  "secret.dropNext":
    "When tertulia status says that all processes use {used} and also accept {others}, this step is done.",
  "secret.lastNext":
    "When tertulia status no longer warns of secrets, all processes use only {used}, and the change is done.",
  "status.healthy": "healthy",
  "status.unhealthy": "unhealthy",
  "status.summary": "{health} · coordinator {coordinator} · epoch {epoch} · view {view}: {members}",
  "status.members": "{live} of {count} members live",
  "status.problem": "Problem:",
  "status.warning": "Warning:",
  "status.oneProblem": "The cluster has a problem.",
  "status.problems": "The cluster has {count} problems.",
  "status.noServer":
    "No server answers. Start the servers again on their machines: tertulia server.",
  "status.noServerBecause": "No server answers. {cause}",
  "status.noQuorum":
    "Live members: {live} of {count}, and {quorum} are needed: no message is accepted. Start the others again; a server that has just started first catches up.",
  "status.memberDown":
    "The server {name} of the cluster does not answer. Start it again on its machine{place}, or remove it for good: tertulia servers remove {name}.",
  "status.memberDownNoQuorum":
    "The server {name} of the cluster does not answer. Start it again on its machine{place}.",
  "status.noCoordinator":
    "The cluster has no coordinator: nobody can register, or change a password or an account, and no clock is corrected. An election takes seconds; if there is still no coordinator then, look at the servers' logs.",
  "status.noBroker":
    "No broker is running: no client reaches the servers. Start one: tertulia broker.",
  "status.noProxy":
    "No proxy is running: chats get new messages late, and other subscribers miss them. Start one: tertulia proxy.",
  "status.brokersMissing":
    "Running brokers: {up} of the {of} in your settings. Start what is missing again on its machine: tertulia broker.",
  "status.proxiesMissing":
    "Running proxies: {up} of the {of} in your settings. Start what is missing again on its machine: tertulia proxy.",
  "status.noReference":
    "No reference answers. Start it again on its machine (tertulia reference), or name yours with --reference.",
  "status.foreignReference":
    "The reference speaks only the original protocol: it has neither a view nor members. Start this program's in its place: tertulia reference.",
  "status.guestServers":
    "Servers that are not members may connect to {names}: anybody who reaches these ports gets requests and may publish. Restart without --guest-servers.",
  "status.diskNearlyFull":
    "The disk of the server {name} is nearly full, with {free} MiB left. Make room on its machine; the server ends once the disk is full.",
  "status.clockOff":
    "The clock of the machine of {name} is off by {seconds} s. Set it, and turn on time synchronisation (NTP) there.",
  "status.decisionsDiffer":
    "Servers have applied different decisions, at slot {slot} of the log of decisions or before (noticed by {names}), so accounts may differ between them. The logs name the pairs that differ. Stop the server that differs from all others, and start it with an empty folder.",
  "status.unknownOperation":
    "The server {name} does not know the operation {operation}, so accounts no longer change there. Upgrade the program on its machine, and start it again.",
  "status.formerAccounts":
    "A server of version 0.1.0 has changed accounts during the upgrade, as {names} noticed. These changes have no effect: make them again.",
  "status.disbelievedClocks":
    "Since it started, {name} has got {count} requests whose Lamport clock was missing, invalid or too far ahead. That harms nobody, but some client does not keep to the protocol.",
  "status.memberNotReady":
    "The server {name} is up, but takes no requests (phase {phase}). If that lasts for minutes, its log says what it waits for.",
  "status.olderVersion":
    "{name} runs version {version}, and other processes run {newest}. Upgrade the program on its machine, and start it again.",
  "status.versionUnknown":
    "{name} runs a version older than {newest}. Upgrade the program on its machine, and start it again.",
  "status.secretsDiffer":
    "The processes have different secrets: {groups}. Copy the newest file of the secret to every machine, and restart each process that has not read it.",
  "status.severalSecrets":
    "All processes use the secret {used} and also accept {others}: a change of the secret is under way. Continue with tertulia secret switch or, if {used} is the new one, with tertulia secret drop.",
  "status.counts":
    "Since it started, {name} has refused {forged} messages without the secret, and {stale} late or replayed ones.",
  "status.role": "ROLE",
  "status.name": "NAME",
  "status.rank": "RANK",
  "status.address": "ADDRESS",
  "status.version": "VERSION",
  "status.member": "MEMBER",
  "status.phase": "PHASE",
  "status.lag": "LAG",
  "status.clock": "CLOCK",
  "status.offset": "OFFSET MS",
  "status.correction": "CORRECTION MS",
  "status.rounds": "ROUNDS",
  "status.rate": "REQ/S",
  "status.yes": "yes",
  "status.no": "no",
  "status.down": "down",

  // `config`.
  // The life of an event, as `trace` draws it.
  "trace.title": "Event {name} ({operation}), Lamport clock {clock}, id {id}",
  "trace.noEvent": "No server remembers the event",
  "trace.thisMessage": "your message",
  "trace.process": "PROCESS",
  "trace.step": "STEP",
  "trace.concurrent": "CONCURRENT WITH",
  "trace.client": "client",
  "trace.requested": "sent the request",
  "trace.answered": "received the receipt",
  "trace.asked": "received the request",
  "trace.made": "made the event",
  "trace.received": "received the event from {name}",
  "trace.synced": "synced the event to disk",
  "trace.sent": "sent the event to the other servers",
  "trace.acknowledged": "acknowledged: it is on disk here",
  "trace.heard": "heard that {name} has it on disk",
  "trace.committed": "knows that a quorum has it on disk",
  "trace.replied": "sent the receipt",
  "trace.published": "sent the message to the subscribers",
  "trace.actionTitle": "Action {operation} in match {match}",
  "trace.matchTitle": "Match {match}",
  "trace.forwarded": "passed the request on to {name}",
  "trace.taken": "received the request from {name}",
  "trace.proposed": "proposed it to {name}",
  "trace.prepared": "judged the proposal of {name}: acknowledged",
  "trace.agreed": "heard the acknowledgement of {name}, asked it to check",
  "trace.checked": "checked for {name}: nothing came in between",
  "trace.madeChecked": "made the event: {name} has checked it",
  "trace.copied": "received the event from {name}",
  "trace.refused": "refused the proposal of {name}: {reason}",
  "trace.rolledBack": "rolled the proposal back: no word of {name} in time",
  "trace.rolledBackRefused": "rolled the proposal back: {name} refused it, {reason}",
  "trace.dropped": "dropped the proposal of {name}",
  "trace.told": "told {name} that it took effect",
  "trace.toldRefusal": "told {name} that it is refused: {reason}",
  "trace.learned": "heard from {name} that it took effect",
  "trace.learnedRefusal": "heard from {name} that it is refused: {reason}",
  "trace.repliedRefusal": "refused the request: {reason}",
  "trace.proposal": "proposal {round}",
  "trace.legend":
    "A number beside a step is its Lamport clock. The steps of a grey band are concurrent with each other.",
  "trace.durations": "By the origin's clock, from its first step: {parts}.",
  "trace.until.synced": "on its disk after {ms} ms",
  "trace.until.committed": "committed after {ms} ms",
  "trace.until.replied": "receipt sent after {ms} ms",
  "trace.until.published": "published after {ms} ms",
  "trace.waited": "The client had its receipt after {ms} ms by its own clock.",
  "trace.noReceipt": "The client has received no receipt.",
  "trace.uncommitted":
    "As far as these servers know, no quorum has the event on disk, so it is not committed.",
  "trace.silent": "No answer from {names}, so their steps are missing here.",
  "trace.stepless":
    "No step from {names}: they have not received the event, or no longer remember it.",
  "trace.forgetful":
    "The first steps of these servers are missing here, because the servers have forgotten them: {names}.",
  "trace.skew":
    "By the clocks, {receiver} received a message of {sender} before it was sent: these clocks differ by at least {ms} ms.",
  "trace.offsets": "Corrections of the clocks in ms: {offsets}.",

  "config.setting": "SETTING",
  "config.value": "VALUE",
  "config.source": "FROM",
  "config.flag": "flag",
  "config.environment": "environment",
  "config.file": "settings file",
  "config.default": "default",
  "config.none": "(none)",

  // The menu.
  "menu.askName": "Your name",
  "menu.welcome": "Welcome, {user}. What others write appears above the menu.",
  "menu.title": "What would you like to do?",
  "menu.users": "List users",
  "menu.create": "Create a channel",
  "menu.channels": "List channels",
  "menu.join": "Join a channel",
  "menu.publish": "Publish in a channel",
  "menu.message": "Send a private message",
  "menu.quit": "Quit",
  "menu.chooseNumber": "Type a number from 1 to {most}",
  "menu.userList": "Users ({count}):",
  "menu.channelList": "Channels ({count}):",
  "menu.noChannels": "There are no channels yet: create one.",
  "menu.noUsers": "There is nobody else yet.",
  "menu.askChannelName": "Name of the new channel",
  "menu.askChannel": "Channel",
  "menu.askUser": "To whom",
  "menu.askText": "Text (empty: back)",
  "menu.back": "(back)",
  "menu.nothingFound": "nothing with that name",
  "menu.searchTip": "type to search · ↑↓ choose · ⏎ accept",
  "menu.joined": "You are in #{channel}.",
  "menu.alreadyJoined": "You are in #{channel} already.",
  "menu.bye": "Goodbye.",
  "menu.whoAreYou": "Who are you?",
  "menu.logIn": "Log in as {user}",
  "menu.makeAccount": "Create the account {user}",
  "menu.otherName": "Use another name",
  "menu.askPassword": "Password for {user} (empty: back)",
  "menu.askPasswordOrQuit": "Password for {user} (empty: quit the chat)",
  "menu.askNewPassword": "New password for {user} (empty: back)",
  "menu.askAgain": "Once more",
  "menu.askInvitation": "Invitation from an administrator (empty: back)",
  "menu.notShown": "(not shown)",
  "menu.logInNext": "{why} You will log in again with your next action.",

  // The screen of a match of cards.
  "duel.rules.clash": "Clash",
  "duel.rules.duel": "Duel",
  "duel.connecting": "Connecting to the game servers …",
  "duel.waiting": "Looking for somebody to play with … {seconds} s",
  "duel.watching": "{user} sits in no match. The next one will be shown here.",
  "duel.waitingKeys": "r: other game · Esc: leave",
  "duel.watchingKeys": "q: leave",
  "duel.against": "{first} against {second}",
  "duel.seconds": "{seconds} s",
  "duel.choose": "Choose your cards",
  "duel.chooseOwn": "your deck or, without one, your 30 strongest cards",
  "duel.choosePack": "buy the pack {pack} for {price} coins, and play with it: {cards}",
  "duel.packLeft": "{left} left",
  "duel.soldOut": "sold out",
  "duel.coins": "You have {coins} coins.",
  "duel.isReady": "{user} has chosen.",
  "duel.isChoosing": "{user} is choosing …",
  "duel.chooseKeys": "Enter, 1–3: choose · g: give up",
  "duel.readyKeys": "g: give up",
  "duel.round": "round {round}",
  "duel.turn": "turn {round}",
  "duel.yourMove": "your move",
  "duel.theirMove": "{user} moves",
  "duel.counterNow": "counter or pass",
  "duel.rating": "rating {rating}",
  "duel.score": "rounds won {score}",
  "duel.life": "life {score}",
  "duel.points": "points {points}",
  "duel.handSize": "hand {count}",
  "duel.deckSize": "deck {count}",
  "duel.table": "on the table: {card}",
  "duel.noCard": "nothing",
  "duel.faceDown": "a card, face down",
  "duel.hand": "Your hand",
  "duel.noHand": "Your hand is empty.",
  "duel.power": "power",
  "duel.cost": "cost",
  "duel.clashKeys": "1–9 or ↑↓ Enter: play · g: give up",
  "duel.duelKeys": "1–9 or ↑↓ Enter: play · p: pass · g: give up",
  "duel.counterKeys": "c: counter · p: pass · g: give up",
  "duel.waitKeys": "g: give up",
  "duel.overKeys": "Enter: next match · q: leave",
  "duel.acting": "sending …",
  "duel.giveUpAgain": "Press g again to give up; any other key goes on.",
  "duel.quitAgain":
    "Press Ctrl-C again to leave. The match goes on without you: tertulia duel comes back to it.",
  "duel.noQuit": "A match is under way: g gives up, Ctrl-C twice leaves it for a moment.",
  "duel.noCounter": "None of your cards can counter this one: p passes.",
  "duel.tooSmall": "The terminal is too small for a match.",
  "duel.lost": "The connection was lost; trying again …",
  "duel.back": "Connected again.",
  "duel.leaving": "Leaving … Esc again does not wait for the answer.",
  "duel.seated": "A match has just been found.",
  "duel.won": "You have won!",
  "duel.beaten": "You have lost.",
  "duel.draw": "A draw.",
  "duel.void": "The match does not count.",
  "duel.hasWon": "{user} has won.",
  "duel.newRating": "Your rating: {rating} ({change})",
  "duel.record": "{won} won, {lost} lost, {drawn} drawn",
  "duel.ratingSoon": "Your new rating is being fetched …",
  "duel.invitation":
    "I would like to play a match of cards with you: /duel in the chat, or tertulia duel.",
  "duel.screenOnly": "Here there is no screen for a match: use tertulia duel.",
  "duel.badAction":
    '"{line}" is no action: write ready, ready PACK, play CARD, counter CARD, pass, giveUp or leave, or the action as JSON.',
  "duel.noGame":
    "No game server answers at {endpoints}: start one with tertulia game, or name yours with --game.",
  "duel.event.found": "{first} plays against {second}.",
  "duel.event.deck": "{user} plays with {count} cards.",
  "duel.event.pack": "{user} has bought the pack {pack}, and plays with it.",
  "duel.event.start": "The cards are dealt.",
  "duel.event.played": "{user} plays {card}.",
  "duel.event.hidden": "{user} has put down a card.",
  "duel.event.countered": "{user} counters with {card}.",
  "duel.event.passed": "{user} passes.",
  "duel.event.roundWon":
    "{user} wins round {round}: {card} ({strength}) against {other} ({otherStrength}).",
  "duel.event.roundDrawn":
    "Round {round} is a draw: {card} ({strength}) against {other} ({otherStrength}).",
  "duel.event.blocked": "The attack is blocked: {user} loses no life.",
  "duel.event.hit": "{user} loses {damage} and has {life} left.",
  "duel.event.gaveUp": "{user} gives up.",
  "duel.event.gone": "{user} was away for too long.",
  "duel.event.failover": "A game server has failed: the match goes on at another server.",
  "duel.event.copied": "Another game server has a copy of the match now.",
  "duel.event.won": "{user} has won the match.",
  "duel.event.drawn": "The match ends in a draw.",
  "duel.event.void": "The match is over, and does not count.",

  // The full-screen chat; line mode uses some of these texts.
  "chat.home": "Tertulia",
  "chat.hint": "Type and press Enter. Ctrl-K goes elsewhere, Tab completes, /help explains it all",
  "chat.noChannels":
    "There are no channels yet: /create #geral creates one. /help explains it all.",
  "chat.newSince": "new since you left",
  "chat.below": "PgDn: to the newest",
  "chat.newer": "PgDn: {count} newer",
  "chat.beginning": "the beginning",
  "chat.loading": "fetching messages …",
  "chat.connected": "connected",
  "chat.connecting": "connecting …",
  "chat.reconnecting": "reconnecting …",
  "chat.reconnectingIn": "reconnecting in {seconds} s",
  "chat.gaveUp": "no broker for a minute; still trying",
  "chat.roundTrip": "{ms} ms",
  "chat.clock": "clock {clock}",
  "chat.replicas": "{count} replicas",
  "chat.replica": "{count} replica",
  "chat.away": "away",
  "chat.isAway": "You are away. /away again brings you back.",
  "chat.isBack": "You are back.",
  "chat.online": "online",
  "chat.quitAgain": "Press Ctrl-C again to quit.",
  "chat.noSuchChannel": "There is no channel {name}: /create {name} creates it.",
  "chat.noConversation": "There is nobody here to write to: /join #channel or /msg name.",
  "chat.likeAction":
    "A text can't begin with /me and a space, because it would be shown as an action; nothing was sent.",
  "chat.unknown":
    "There is no command {command}; nothing was sent. Did you mean {suggestion}? To send it as text, write /{command}.",
  "chat.unknownHelp":
    "There is no command {command}; nothing was sent. /help lists them. To send it as text, write /{command}.",
  "chat.wrongUse": "Write it like this: {usage}",
  "chat.historyPages": "Here /history goes back a page, as PgUp does: it takes no number.",
  "chat.found": "Found in {name} ({count}): {words}",
  "chat.foundNewest": "Found in {name} (the newest {count}): {words}",
  "chat.foundNothing": "Found nothing in {name}: {words}",
  "chat.links": "Links in {name}, the newest last:",
  "chat.linksBack": "Enter goes back to the chat.",
  "chat.noLinks": "No message fetched so far from {name} has a link; PgUp fetches older ones.",
  "chat.parted": "You left {name}.",
  "chat.notJoined": "You are not in {name}.",
  "chat.muted": "{name} is muted: only mentions are counted.",
  "chat.unmuted": "{name} is no longer muted.",
  "chat.nobodyOnline": "Nobody is known to be online.",
  "chat.whoOnline": "Online ({count}): {people}",
  "chat.userList": "Users ({count}): {names}",
  "chat.channelList": "Channels ({count}): {names}",
  "chat.tooLong": "A message may have at most {most} characters; nothing was sent.",
  "chat.switchTitle": "Go to …",
  "chat.switchNothing": "nothing with that name",
  "chat.helpTitle": "Keys and commands",
  "chat.helpClose": "Esc: back",
  "chat.key.complete": "completes /commands, @names, #channels",
  "chat.key.page": "older and newer messages; older ones are fetched",
  "chat.key.number": "a conversation by its number",
  "chat.key.neighbour": "the conversation before or after this one",
  "chat.key.nextUnread": "the next one with something unread, mentions first",
  "chat.key.switch": "goes to any channel or person, found by part of the name",
  "chat.key.recall": "what you wrote before",
  "chat.key.newLine": "a new line within the message",
  "chat.key.lineEnds": "beginning and end of the line",
  "chat.key.words": "a word back or forward",
  "chat.key.cut": "cuts everything before the cursor, or a word",
  "chat.key.putBack": "pastes what was cut",
  "chat.key.redraw": "redraws the screen",
  "chat.key.suspend": "goes back to the shell; fg returns",
  "chat.key.back": "closes this, or goes to the newest message",
  "chat.key.quit": "once: puts your text aside (↑); twice: quits",
  "chat.command.join": "/join #channel: joins a channel",
  "chat.command.part": "/part #channel: leaves a channel; alone, this conversation",
  "chat.command.create": "/create #channel: creates a channel and joins it",
  "chat.command.msg": "/msg name text: sends somebody a private message",
  "chat.command.me": "/me text: tells what you do: * ana waves",
  "chat.command.say": "/say text: sends a text, even one that begins with a slash; so does //text",
  "chat.command.who": "/who: who is online",
  "chat.command.users": "/users: all users",
  "chat.command.channels": "/channels: all channels",
  "chat.command.history": "/history: a page of older messages",
  "chat.command.search":
    '/search words: finds messages here that have all the words; "two words" as they follow, -word to leave out',
  "chat.command.links": "/links: the links in this conversation, whole, for copying",
  "chat.command.away": "/away: away, or back again",
  "chat.command.mute": "/mute #channel: counts only mentions, or everything again; alone, here",
  "chat.command.status": "/status: what is wrong, and the cluster's processes",
  "chat.command.time": "/time: the cluster's time",
  "chat.command.lang": "/lang pt-br: another language, at once",
  "chat.command.help": "/help: this",
  "chat.command.duel": "/duel name: a match of cards; with a name, an invitation to that person",
  "chat.command.quit": "/quit: ends the chat",

  // The page about matches, which also uses the texts of `duel.`.
  "table.title": "Matches of cards",
  "table.logIn": "To play or to watch, log in to the chat first.",
  "table.noGame": "No game server answers. The page asks again by itself; the chat still works.",
  "table.rules.clash":
    "Both of you play one card face down, and the stronger card wins the round. A card is stronger by 20 if its attribute beats the other one.",
  "table.rules.duel":
    "You take turns. Cards cost points, and take life from the other player, unless they counter with a card whose attribute beats yours.",
  "table.beats": "Fire beats plant, plant beats water, and water beats fire.",
  "table.look": "Look for a match",
  "table.leave": "Stop looking",
  "table.watchOf": "Watch the match of",
  "table.watch": "Watch",
  "table.own": "Play with your cards",
  "table.ownHint": "Your deck or, without one, your strongest cards. You have {count} cards.",
  "table.lentHint": "You have {count} cards. Five cards are lent to you for this match.",
  "table.buy": "Buy the pack {pack} for {price} coins",
  "table.pass": "Pass",
  "table.passCounter": "Do not counter",
  "table.giveUp": "Give up",
  "table.giveUpAsk": "Give up this match?",
  "table.giveUpYes": "Yes, give up",
  "table.giveUpNo": "No, go on",
  "table.next": "Next match",
  "table.back": "Other games",
  "table.log": "What has happened",
  "table.past": "before",
  "table.keys": "The keys 1 to 9 play cards",

  // The page in the browser, which also uses the texts of the chat.
  "page.connecting": "Connecting …",
  "page.lost.offline": "This device is offline. What you send waits here.",
  "page.lost.noGateway": "The gateway does not answer. What you send waits here.",
  "page.lost.unready":
    "The gateway answers, but the chat behind it does not ({detail}). What you send waits here.",
  "page.lost.noSockets":
    "The gateway answers, but something in between refuses WebSockets: tell the person who runs the proxy.",
  "page.lost.stopping": "The gateway is being restarted. What you send waits here.",
  "page.nextTry": "Next try in {seconds} s.",
  "page.tryNow": "Try now",
  "page.sessionEnded":
    "Your session has ended: log in again. The messages that wait will be sent then.",
  "page.name": "Name",
  "page.password": "Password",
  "page.passwordAgain": "Password once more",
  "page.passwordsDiffer": "The two passwords differ.",
  "page.invitation": "Invitation",
  "page.invitationHint": "From an administrator. Empty if anybody may register here.",
  "page.invitationWanted": "You need an invitation to register here: ask an administrator.",
  "page.channelNotFound": "There is no such channel.",
  "page.logIn": "Log in",
  "page.logOut": "Log out",
  "page.register": "Create account",
  "page.noAccount": "I have no account yet",
  "page.haveAccount": "I already have an account",
  "page.language": "Language",
  "page.theme": "Colours",
  "page.theme.system": "as the device",
  "page.theme.light": "light",
  "page.theme.dark": "dark",
  "page.notifications": "Notifications",
  "page.notify": "Tell me of private messages and mentions while the page is hidden",
  "page.cannotNotify": "This browser shows notifications only for pages served over HTTPS.",
  "page.notifyRefused":
    "Your browser forbids notifications for this page: allow them in its settings.",
  "page.matches": "Matches",
  "page.settings": "Settings",
  "page.help": "Keys and commands",
  "page.close": "Close",
  "page.conversation": "Conversation",
  "page.conversations": "Conversations",
  "page.channels": "Channels",
  "page.private": "Private",
  "page.online": "Online now",
  "page.offline": "offline",
  "page.muted": "muted",
  "page.unreadCount": "unread: {count}",
  "page.mentionCount": "mentions: {count}",
  "page.goTo": "Go to …",
  "page.nameToFind": "Part of a name",
  "page.createChannel": "Create the channel {name}",
  "page.nothingOpen": "Tertulia",
  "page.welcome":
    "Choose a conversation, or press Ctrl-K and type the name of a channel or a person.",
  "page.back": "All conversations",
  "page.leave": "Leave",
  "page.messagesOf": "Messages in {name}",
  "page.newer": "{count} new ↓",
  "page.toNewest": "To the newest ↓",
  "page.writeTo": "Write to {name}",
  "page.command": "Write a command, such as /join #channel",
  "page.send": "Send",
  "page.waits": "waits to be sent",
  "page.refused": "not sent",
  "page.stored": "stored by a majority of the servers",
  "page.gap": "Messages are missing here: the servers no longer keep them.",
  "page.notKept":
    "The message was not accepted: this browser can't keep it until it is sent. Allow the page to store data, or free some space.",
  "page.noCommand": "This command works only in the terminal.",
  "page.key.switch": "goes to any channel or person, found by part of the name",
  "page.key.neighbour": "the conversation before or after this one",
  "page.key.send": "sends the message",
  "page.key.newLine": "a new line within the message",
  "page.key.messages": "from an empty line, ↑ goes to the messages; these keys move between them",
  "page.key.back": "back to the line; there, to the newest message",

  // The page about the cluster at work, which also uses texts of `status` and of `trace`.
  "cluster.title": "The cluster at work",
  "cluster.toChat": "To the chat",
  "cluster.refused":
    "Only administrators may see the cluster at work: ask one of them. In a cluster without accounts, open this page on the gateway's own machine.",
  "cluster.old": "These numbers are {seconds} s old.",
  "cluster.healthy": "Healthy",
  "cluster.unhealthy": "Unhealthy",
  "cluster.coordinator": "Coordinator",
  "cluster.epoch": "Epoch",
  "cluster.view": "View",
  "cluster.members": "Members live",
  "cluster.liveOf": "{live} of {count}",
  "cluster.quorum": "Quorum",
  "cluster.processes": "Processes and their Lamport clocks",
  "cluster.clockHint":
    "Each process counts what it does. A process that hears of a higher clock continues above it. So the clocks of processes that talk stay together, and the clock of a process that hears nothing stands still. The lines show the last {seconds} s, all in one scale; the pale line is the highest clock.",
  "cluster.clock": "Lamport clock",
  "cluster.pace": "+{count}/s",
  "cluster.behind": "{count} behind",
  "cluster.isCoordinator": "coordinator",
  "cluster.role.server": "server",
  "cluster.role.broker": "broker",
  "cluster.role.proxy": "proxy",
  "cluster.role.reference": "reference",
  "cluster.role.gateway": "gateway",
  "cluster.role.game": "game server",
  "cluster.role.bot": "bot",
  "cluster.noMember": "not a member",
  "cluster.lag": "lag {count}",
  "cluster.rate": "{count} requests/s",
  "cluster.offset": "clock offset {ms} ms",
  "cluster.correction": "last correction {ms} ms",
  "cluster.version": "version {version}",
  "cluster.life": "The life of a message",
  "cluster.lifeHint":
    "Send a message, or choose one: the diagram shows what each process did with it, and which step could cause which.",
  "cluster.channel": "Channel",
  "cluster.message": "Message",
  "cluster.send": "Send and follow",
  "cluster.noName": "To send a message from here, log in to the chat first.",
  "cluster.newest": "Newest messages in {name}",
  "cluster.id": "Id of a message, or name of an event",
  "cluster.idHint": "An event's name is its server and its number, such as server_0a1b2c3d/12.",
  "cluster.show": "Show its life",
  "cluster.again": "Ask the servers again",
  "cluster.saveSvg": "Save as SVG",
  "cluster.saveShiviz": "Save for ShiViz",
  "cluster.stepsHint":
    "Point at a step, or move with ↑ and ↓: the colours show what happened before the step, what happened after it, and what is concurrent with it.",
  "cluster.steps": "Steps, from the first to the last",
  "cluster.lanes":
    "The steps as points on the line of their process, with the messages between them",
  "cluster.relations":
    "Step {number}: happened before it: {before}; after it: {after}; concurrent with it: {beside}.",
  "cluster.before": "before",
  "cluster.after": "after",
  "cluster.beside": "concurrent",
  "cluster.none": "none",

  // The chat by lines.
  "lines.noChannel": "Join a channel first: /join #channel",
  "lines.muted": "{name} is muted: what is written there is not shown.",
  "lines.joined": "You are in #{channel}; what you write goes there.",
  "lines.left": "You left #{channel}.",
  "lines.noLinks": "The newest messages in {name} have no links.",
  "lines.leftSent": "Left by an earlier chat and sent now: {target} {text}",
  "lines.leftRefused": "{why} Left by an earlier chat and not sent: {target} {text}",
  "lines.waiting": "Not sent yet, but kept for your next chat: {count}.",

  // The help.
  "help.usage": "Usage:",
  "help.arguments": "Arguments:",
  "help.options": "Options:",
  "help.commands": "Commands:",
  "help.example": "Example:",
  "help.default": "default {value}",
  "help.tagline": "a chat cluster that a small team runs itself",
  "help.more": "Each command has its own help, with an example: tertulia COMMAND --help",
  "help.help": "show this help",
  "help.version": "show the version",
  "help.roles": "one role, in the foreground",
  "help.loginAndRegister": "log in, create an account, change its password",
  "help.usersAndChannels": "list them, one per line",
  "help.up": "the whole cluster on this machine: watched, with dead processes restarted",
  "help.broker": "a broker: forwards requests from clients to servers",
  "help.proxy": "a proxy: forwards publications from servers to subscribers",
  "help.reference": "the reference: assigns ranks, knows who is alive, keeps the view",
  "help.server": "a server: one replica of all users, channels and messages",
  "help.gateway": "a gateway: the chat for browsers and programs, over HTTP and WebSocket",
  "help.game": "a game server: matches of cards",
  "help.bot": "a bot: writes bursts of messages to the channels",
  "help.chat": "the chat in this terminal; without one, lines in and out",
  "help.menu": "the classic numbered menu",
  "help.login": "log a user in; the first login creates the user",
  "help.register": "create an account with a password",
  "help.shop": "show your coins, what is for sale, and your open offers",
  "help.buyPack": "buy a pack of five cards",
  "help.supplyPacks":
    "say how many packs are for sale, as an administrator; without a number, as many as the cards allow",
  "help.cards": "list your cards",
  "help.offerCards": "offer cards to another user for cards of theirs",
  "help.acceptOffer": "accept an offer: the cards are exchanged",
  "help.dropOffer": "drop an offer, yours or one to you",
  "help.chooseDeck": "choose the cards to play with, 5 to 30 of yours",
  "help.matches": "show a user's rating, open match and last matches",
  "help.voidMatch": "end a match as an administrator; it does not count",
  "help.ranking": "list the users with the highest ratings",
  "help.duel": "play a match of cards in this terminal; without one, JSON lines out and actions in",
  "help.shopAndMatches": "cards, and who plays with them",
  "help.hooks": "list your hooks, by which other systems write in your name",
  "help.addHook": "make a hook: an address at which other systems write to a channel",
  "help.revokeHook": "revoke a hook, yours or, as an administrator, any",
  "help.users": "list all users, one per line",
  "help.channels": "list all channels, one per line",
  "help.create": "create a channel",
  "help.send": "send a text to a channel or a user",
  "help.history": "show what was written in a channel or with a user",
  "help.export": "print whole histories: the given ones, or all channels and your private messages",
  "help.search": "find messages by their words",
  "help.historyAndExport": "read what was written: a part, or everything",
  "help.listen": "show what is written as it comes, until Ctrl-C",
  "help.time": "show the cluster's time",
  "help.status": "say what is wrong, and show every process; exit code 1 if unhealthy",
  "help.trace":
    "show what each server did with a message, given its id or server/seq, or with an action in a match, given its id or the match; with --send, send a message first",
  "help.statusAndTrace": "the cluster's time and health; the life of a message",
  "help.doctor":
    "check this host before or after the installation: ports, names, secret, disk, clock; exit code 1 if there is a problem",
  "help.doctorAndHealth": "check this host, or one process",
  "help.health": "ask one process whether it is alive and ready; exit code 0 or 1",
  "help.verify": "check a data folder while no process uses it; exit code 1 if it is damaged",
  "help.backups": "save, restore, move or check a cluster",
  "help.backup": "save a running cluster to a file; - writes to standard output",
  "help.restore": "restore a backup into an empty data folder; - reads standard input",
  "help.migrate":
    "move a backup into an empty PostgreSQL, for servers with --engine; - reads standard input",
  "help.servers": "change who is a member",
  "help.secret": "change the cluster's secret in three steps, without stopping the cluster",
  "help.serversAndSecret": "remove a lost member, change the cluster's secret",
  "help.remove": "remove from the view a member that will not come back",
  "help.accounts":
    "what an administrator may do: lock, unlock, promote, demote, reset, registration",
  "help.password": "change the password; older sessions end",
  "help.add": "create an account; its password is read from standard input",
  "help.lock": "lock an account",
  "help.unlock": "unlock an account",
  "help.promote": "make somebody an administrator",
  "help.demote": "make an administrator an ordinary user",
  "help.reset": "give an account a new password, read from standard input",
  "help.removeChannel": "remove a channel",
  "help.restoreChannel": "restore a channel that was removed",
  "help.registration": "who may register: open, closed or invitation",
  "help.init": "write the secret and the settings of each host of a new cluster",
  "help.config": "show each setting, its value and where it comes from",
  "help.configAndInit": "show the settings, or write those of new hosts",
  "help.chaos":
    "kill, stop and cut off processes of a fresh cluster; exit code 1 if anything is lost",
  "argument.HOST": "name=address of each host; the first host runs the reference",
  "argument.NAME": "a name",
  "argument.PACK": "basic, premium or legendary",
  "argument.NUMBER": "the number of an offer, or of packs",
  "argument.GIVE": "your cards, separated by commas",
  "argument.WANT": "the other user's cards, separated by commas",
  "argument.CARDS": "the ids of cards, separated by commas",
  "argument.MATCH": "the id of a match, which `tertulia matches` shows",
  "argument.HOOK": "the hook's id, which `tertulia hooks` shows",
  "argument.MODE": "open, closed or invitation",
  "argument.FOLDER": "a data folder, or the folder of one server in it",
  "argument.FILE": "the backup's file, or -",
  "argument.CHANNEL": "the channel's name, with or without #",
  "argument.TARGET": "'#channel' (in quotes: # begins a comment in most shells) or @user",
  "argument.WORDS":
    'words that a message must have; "two words" as they follow, -word to leave out (after --)',
  "argument.TEXT": "the text, after -- if it begins with a dash; - alone reads standard input",
  "argument.ID": "the id of a message or request, or server/seq; with --send, the target",
  "argument.ROLES":
    "the roles of this host's processes; otherwise TERTULIA_ROLE, or reference, broker, proxy, server",
  "argument.ACTION": "add, switch or drop, in this order",
  "argument.ROLE":
    "broker, proxy, reference, server, gateway, game or bot; otherwise TERTULIA_ROLE",
  "flag.config": "a settings file (YAML); flags and the environment override it",
  "flag.broker": "the brokers, for clients",
  "flag.brokerBack": "the brokers, for servers",
  "flag.proxyIn": "the proxies, to publish",
  "flag.proxy": "the proxies, to subscribe",
  "flag.reference": "the reference",
  "flag.game": "the game servers, for players",
  "flag.front": "where the front listens",
  "flag.back": "where the back listens",
  "flag.bind": "where the process listens",
  "flag.metrics": "where metrics and health are served over HTTP: tcp://127.0.0.1:9464",
  "flag.http": "where browsers and programs connect over HTTP",
  "flag.mqtt": "where players connect by MQTT",
  "flag.trustedProxies": "addresses or networks of the HTTP proxies in front of the gateway",
  "flag.gatewayKeyFile":
    "the file with the gateways' key; by default gateway/key in the data folder",
  "flag.advertise": "the host, or the whole endpoint, at which others reach this process",
  "flag.data": "the data folder",
  "flag.secretFile": "the cluster's secret; if omitted, `secret` in the data folder",
  "flag.keyFile": "the file with the key that encrypts a backup; 16 characters or more",
  "flag.cluster": "the cluster's name",
  "flag.owner": "the owner of the hooks to list; another user only as an administrator",
  "flag.auth": "open: names only; required: accounts with passwords",
  "flag.curve": "encrypt all connections, with keys derived from the secret",
  "flag.serverKeyFile": "the cluster's public key, if it is encrypted",
  "flag.userRate":
    "messages per second from one user to one server, where there are accounts; 0: no limit",
  "flag.connectionRate": "requests per second from one connection to one server; 0: no limit",
  "flag.steps": "records of the steps of events that a server remembers; 0: none",
  "flag.insecure": "allow an open or unencrypted cluster beyond this machine",
  "flag.guestServers":
    "let servers by other authors, which are not members, serve at the broker and publish",
  "flag.leaveOnStop": "leave the view when stopped",
  "flag.keepPublications": "newest publications kept per channel; the same on all servers",
  "flag.keepMessages": "newest private messages kept per user; the same on all servers",
  "flag.keepLogins": "newest login times kept per user; the same on all servers",
  "flag.checkpointBytes": "bytes of journal after which a server saves its state",
  "flag.engine": "the PostgreSQL that keeps everything instead of the servers",
  "flag.enginePasswordFile": "a file whose first line is the password of that PostgreSQL",
  "flag.redis": "an optional Redis beside the engine; it may lose everything",
  "flag.redisPasswordFile": "a file whose first line is the password of that Redis",
  "flag.user": "your name; otherwise, that of your login",
  "flag.lang": "en or pt-br; otherwise by LANG",
  "flag.logLevel": "how much is logged",
  "flag.json": "print one JSON object per line",
  "flag.passwordFile": "a file whose first line is the password",
  "flag.invitation": "an administrator's invitation, where registration needs one",
  "flag.timeout": "seconds until a request is given up",
  "flag.limit": "at most this many entries",
  "flag.before": "only what comes before this place, given by an earlier page",
  "flag.sinceVector": "only what this vector, given by an earlier answer, has not seen",
  "flag.since":
    "begin after this vector, or at this time (2026-01-31, 2026-01-31T08:00; local without Z or an offset)",
  "flag.lines": "lines in and out instead of the whole screen",
  "flag.watch": "show it again every second, until Ctrl-C",
  "flag.rules": "the game: clash or duel",
  "flag.watchMatch": "watch the matches of this user instead of playing",
  "flag.send": "send TEXT to the target first, as `send` does, and trace it",
  "flag.svg": "print a picture (SVG)",
  "flag.shiviz": "print a log for the viewer ShiViz",
  "flag.force": "even without a majority of the remaining ones; may lose what only it had",
  "flag.servers": "number of servers",
  "flag.bots": "number of bots",
  "flag.gateways": "number of gateways, for browsers and programs",
  "flag.games": "number of servers for card matches",
  "flag.brokers": "number of brokers",
  "flag.proxies": "number of proxies",
  "flag.port": "the first of five ports; 0 for any free ones",
  "flag.chat": "open the chat in this terminal; logs go to files",
  "flag.rate": "messages per second within a burst; 0 for as fast as possible",
  "flag.burst": "messages in a burst",
  "flag.pause": "milliseconds between bursts",
  "flag.channels": "channels to write to, separated by commas, instead of all",
  "flag.count": "stop after this many messages; 0 for never",
  "flag.seed": "use this seed instead of a random one",
  "flag.name": "the bot's name, instead of one of its own",
  "flag.out": "the folder to make, which must not exist yet",
  "flag.seconds": "how long the faults go on",
  "flag.postgres":
    "give the servers an engine: a PostgreSQL of this run, with a standby that takes over",
  "flag.report": "write a report with timeline and latencies to this HTML file",
  // `tertulia init`.
  "init.host":
    '"{said}" is not a host: write name=address with an IP address, such as ana=10.0.0.1, and a name other than client or gateway.',
  "init.twice": "Two hosts have {value}: give each its own name and address.",
  "init.exists": "{folder} exists already: name another folder by --out.",
  "init.unwritable": "{folder} can't be written ({why}): name another folder by --out.",
  "init.hostComment":
    "Host {name} ({address}). `roles` and `advertise` have its own address; the rest is the same on all hosts.",
  "init.clientComment": "For people's computers: tertulia chat --config tertulia.yaml",
  "init.done":
    "{folder} has a folder for each host and one for clients. docs/three-hosts.md explains each step.",
  "init.onHost": "Host {name} ({address}): copy {folder}/{name}, install the program, then run:",
  "init.clients": "Give people {folder}, which has no secret.",
  "init.gateways":
    "For browsers, run gateways too, with the keys in {folder}: docs/three-hosts.md, step 6.",
  "init.oneHost": "With one host, nobody can read or write while it is down. Use three.",
  "init.twoHosts": "With two hosts, nobody can read or write while one of them is down. Use three.",
  "init.mayBeDown": "Of {count} hosts, up to {down} may be down at the same time.",
  "init.evenHosts": "With {odd} hosts that would be the same.",
  "up.ready":
    "Ready: broker {broker}, proxy {proxy}, reference {reference}. Ctrl-C stops everything.",
  "up.waiting": "The {process} waits: {why}",
  "up.metrics": "Metrics of all processes: {endpoint}",
  "up.http": "In the browser: {http}",
  "up.games": "Matches of cards: {game}, by MQTT {mqtt}",
  "up.promote": "To make an account an administrator: tertulia accounts promote NAME{flags}",
} as const satisfies Record<`error.${ErrorCode}`, string> & Readonly<Record<string, string>>;

export type TextKey = keyof typeof en;
/** The texts of one language. Every language has the same keys. */
export type Catalogue = Readonly<Record<TextKey, string>>;
