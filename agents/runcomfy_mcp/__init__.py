"""An MCP server for RunComfy's Model API that never pays unasked: `runcomfy-client mcp`.

It uses the public surface of the client library only. `server` is what the protocol sees, `tools` what an agent can
call, `consent` who says that a job may be paid.
"""
