"""What goes to an API and comes back, and how long that may take; their texts show no secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """What is sent; query is added to the URL's own."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Query
    body: bytes

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url.partition('?')[0]}>"


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What came back; the names of headers are in lower case. key: what it was asked with."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    key: str = ""

    def __repr__(self) -> str:
        return f"<Answer {self.status}, {len(self.body)} bytes>"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The limits of a call, in seconds.

    connect bounds finding and reaching the server. first_token and
    between_tokens bound the waits for the pieces of a stream; a whole answer,
    whose first byte comes when the model has finished, has total for that one.
    """

    connect: float = 10.0
    first_token: float = 120.0
    between_tokens: float = 60.0
    total: float = 600.0
