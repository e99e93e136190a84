import { assertEquals } from "@std/assert";
import { traceOf } from "./_guarded.ts";

Deno.test("traceOf() tells sockets from files, and puts interrupted calls together", () => {
  const trace = traceOf(`12 sendto(45<TCP:[127.0.0.1:8000->127.0.0.1:9]>, ""..., 100, MSG_NOSIGNAL, NULL, 0) = 100
13 pwrite64(9</data/thrum.sqlite-wal>, ""..., 4096, 32 <unfinished ...>
12 write(46<TCP:[1]>, ""..., 10) = -1 EAGAIN (Resource temporarily unavailable)
13 <... pwrite64 resumed>) = 4096
12 write(3<anon_inode:[eventfd]>, ""..., 8) = 8
12 write(10</data/log-1>, ""..., 20) = 20
12 recvfrom(45<TCP:[1]>, ""..., 65536, 0, NULL, NULL) = 300
12 epoll_wait(4<anon_inode:[eventpoll]>, [], 1024, 0) = 2
12 pwrite64(7</cache/deno/v8_code_cache_v2-wal>, ""..., 4096, 32) = 4096
13 fdatasync(9</data/thrum.sqlite-wal>) = 0
+++ exited with 0 +++
`);
  assertEquals(trace, {
    "sent": { count: 2, bytes: 100 },
    "received": { count: 1, bytes: 300 },
    "logged": { count: 1, bytes: 20 },
    "settled": { count: 1, bytes: 4096 },
    "read from files": { count: 0, bytes: 0 },
    "synced": { count: 1, bytes: 0 },
    "waited": { count: 1, bytes: 2 },
  });
});
