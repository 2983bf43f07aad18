"""What the kit found out about a provider."""

from dataclasses import dataclass

from war_rig.testing.conformance.templates import StreamTemplate, Template


@dataclass
class Findings:
    """How a provider is talked to.

    template, stream: how its API answers; None where that could not be found out, or its
    stream() asks for a whole answer. is_asked: whether it asked the scripted server.
    is_out_of_reach: whether it fails for want of it. is_sync: whether complete() can't be
    awaited. fault, stream_fault: what came instead of an answer, and of a stream. returned:
    of which type that was, where it was returned and not raised. reads: where it finds what.
    """

    template: Template | None = None
    stream: StreamTemplate | None = None
    has_stream: bool = False
    is_asked: bool = False
    is_sync: bool = False
    is_out_of_reach: bool = False
    fault: str | None = None
    stream_fault: str | None = None
    returned: type | None = None
    reads: str = ""
