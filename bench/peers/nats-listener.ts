import { connect } from "@nats-io/transport-node";
import { listen } from "../listener.ts";

listen(async (servers, hear) => {
  const connection = await connect({ servers: [...servers] });
  await new Promise<void>((resolve) => {
    connection.subscribe("bench", {
      callback: (_error, message) => {
        const text = message.string();
        // An empty message only shows that the subscription has arrived.
        if (text !== "") hear(text);
        resolve();
      },
    });
  });
});
