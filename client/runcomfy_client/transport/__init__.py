"""How the client talks to servers.

- `steps`: what an operation may ask of a driver. The rules of the API (package `api`) are written in these steps.
- `sync_driver`, `async_driver`: carry the steps out on httpx, the only modules that import it.
- `requests`: what both drivers send, and what a failure proves about a request.
- `decoding`: how a reply's body is read, within bounds.
- `connection_pool`: which connections are idle and how long they may be.
- `pools`: what has to be known about the pools of the HTTP libraries, and about an `http_client` of the user's.
- `deadline`, `blocking`, `event_loops`: time limits; Ctrl-C and sockets in threads; one pool for each event loop.
- `config`, `hooks`: settings and the token; events and the log.
"""

from __future__ import annotations
