#!/usr/bin/env node
import { Command } from "commander";
import { runBroker } from "./broker/main.ts";
import { runBot } from "./bot/main.ts";
import { runUp } from "./cluster/up.ts";
import { endByFailure } from "./platform/run-process.ts";
import { Settings } from "./platform/settings.ts";
import { runProxy } from "./proxy/main.ts";
import { runReference } from "./reference/main.ts";
import { runServer } from "./server/main.ts";

const program = new Command("tertulia");
const s = (command: Command) => new Settings(command.opts(), process.env);
program.command("broker").action((_o, c) => runBroker(s(c)));
program.command("proxy").action((_o, c) => runProxy(s(c)));
program.command("reference").action((_o, c) => runReference(s(c)));
program.command("server").action((_o, c) => runServer(s(c)));
program.command("up").option("--servers <n>").option("--brokers <n>").option("--proxies <n>").option("--bots <n>").option("--data <f>").option("--port <n>").option("--json").option("--log-level <l>").action((flags, c) => runUp({ flags, settings: s(c), openChat: async () => {}, readyText: () => "ready" }));
program.command("bot").action((o, c) => runBot(s(c), o));
program.parseAsync().catch(endByFailure);
