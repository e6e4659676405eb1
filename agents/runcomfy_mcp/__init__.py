"""An MCP server for RunComfy's Model API, which never pays unasked: `runcomfy-client mcp`."""
