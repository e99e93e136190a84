/** Links over WebSockets keep what every link promises. */

import { listenHttp } from "../../../../platform/http/http_server.ts";
import { realClock } from "../../../../platform/real_clock.ts";
import type { Link } from "../../../../platform/transport.ts";
import { webSocketAcceptor } from "../../../../server/gateway/http/websocket_link.ts";
import { testLinkContract } from "../../../contract/link_contract.ts";
import { LineClient } from "../../../support/line_client.ts";
import { until } from "../../../support/until.ts";

testLinkContract({
  name: "a link over a WebSocket",
  use: async (test) => {
    let near: Link | undefined;
    const acceptor = webSocketAcceptor({ maxLineBytes: 65_536, highWaterBytes: 65_536, clock: realClock });
    const listener = await listenHttp({ host: "127.0.0.1", port: 0 }, {
      request: (exchange) => exchange.reply({ status: 404, headers: {}, body: "" }),
      upgrade: (upgrade) =>
        acceptor.accept(upgrade, { remoteHost: "127.0.0.1", isProtected: false }, (link) => near = link),
    });
    try {
      await using far = await LineClient.connectWebSocket(listener.port);
      await until(() => near !== undefined, "the link");
      await test(near!, far, until);
    } finally {
      await listener.close();
    }
  },
});
