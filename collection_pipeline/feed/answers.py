"""Responses in JSON. An error is one sentence: {"error": "…"}."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from collection_pipeline.feed.frames import as_json

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What every response carries, so that a browser runs nothing and shows nothing that is not ours."""


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as the response."""
    return Response(as_json(body), status, headers, media_type="application/json")


def refusal(status: int, sentence: str) -> Response:
    """A sentence as the response."""
    extra = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}
    return answer({"error": sentence}, status, extra.get(status))


class Refused(Exception):
    """Raised where an endpoint cannot answer: the status and the sentence of its response."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


async def refused(_: Request, error: Exception) -> Response:
    """The response to a Refused."""
    return refusal(error.status if isinstance(error, Refused) else 400, str(error))


async def no_such_address(_: Request, error: Exception) -> Response:
    """The response where there is no endpoint, or none for the method."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    sentences = {404: "There is nothing at this address; /openapi.json lists what there is."}
    return refusal(status, sentences.get(status, "This address does not take that method; see /openapi.json."))


async def database_away(_: Request, __: Exception) -> Response:
    """The response while the database does not answer."""
    return refusal(503, "The database does not answer at the moment. Try again.")


async def broken(_: Request, __: Exception) -> Response:
    """The response to a fault of this server; its log has the traceback."""
    response = refusal(500, "The server failed to answer this; its log says why.")
    response.headers.update(HEADERS)  # made outside the guard that puts them on all others
    return response
