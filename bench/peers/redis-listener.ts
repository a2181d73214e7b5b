import { Redis } from "ioredis";
import { listen } from "../listener.ts";

listen(async ([port], hear) => {
  const client = new Redis(Number(port));
  client.on("message", (_channel: string, text: string) => hear(text));
  await client.subscribe("bench");
});
