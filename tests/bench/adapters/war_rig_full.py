"""War Rig with every policy but the cache, which would answer for the server.

The trace speaks to OpenTelemetry's API without an SDK, as in a library's process.
"""

from pathlib import Path

from adapters import war_rig

REQUIRES = ("-e", f"{Path(__file__).parents[3]}[otel]")
IMPORT = war_rig.IMPORT
PACKAGE = war_rig.PACKAGE


class Adapter(war_rig.Adapter):
    policies = """
  trace: {}
  timeout: {total: 600, attempt: 300, first_token: 120, between_tokens: 60}
  fallback: [offline]
  retry: {attempts: 3}
  budget: {tokens: 1000000000000, money: 1000000}
  prices: {models: {"*": {input: 0.25, output: 2}}}
  circuit_breaker: {failures: 5}
  rate_limit: {requests_per_minute: 100000000, tokens_per_minute: 1000000000000, concurrency: 1000}
"""
