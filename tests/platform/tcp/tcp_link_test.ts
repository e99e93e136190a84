/** Links over sockets keep what every link promises. */

import { tcpTransport } from "../../../platform/tcp/tcp_transport.ts";
import type { Link } from "../../../platform/transport.ts";
import { testLinkContract } from "../../contract/link_contract.ts";
import { LineClient } from "../../support/line_client.ts";
import { until } from "../../support/until.ts";

testLinkContract({
  name: "a link over TCP",
  use: async (test) => {
    let near: Link | undefined;
    const address = { host: "127.0.0.1", port: 0 };
    await using listener = await tcpTransport(65_536).listen(address, (link) => near = link);
    await using far = await LineClient.connect(listener.port);
    await until(() => near !== undefined, "the link");
    await test(near!, far, until);
  },
});
