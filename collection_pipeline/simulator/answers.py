"""Answers that both vendors give: compact JSON, pages of the edge that are no JSON, and answers that break off."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


def dumps(body: object) -> bytes:
    """Compact JSON in UTF-8, as both vendors send it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(dumps(body), status, headers, media_type="application/json")


def edge_page(status: int, title: str) -> Response:
    """What a gateway in front of the service says: HTML, whatever was accepted."""
    head, body = f"<TITLE>{title}</TITLE>", f"<H1>{title}</H1>\nReference&#32;&#35;18.2f1e"
    html = f"<HTML><HEAD>\n{head}\n</HEAD><BODY>\n{body}\n</BODY></HTML>"
    return Response(html, status, media_type="text/html")


def spoilt(whole: Response, fault: str) -> Response:
    """An answer that a fault, named without its vendor, has spoilt on its way; whole if that is none of its kind."""
    match fault:
        case "reset":
            return Dropped(whole)
        case "truncated_json":  # complete for HTTP, while its JSON ends half-way
            body = bytes(whole.body)
            return Response(body[: len(body) // 2], whole.status_code, media_type="application/json")
        case "null_body":
            return answer(None)
        case "html_page":
            return edge_page(200, "Pardon Our Interruption")
        case _:
            return whole


class Dropped(Response):
    """An answer that announces its whole length, sends half of it, and drops the connection."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code, media_type="application/json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002, D102
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: max(1, len(self.body) // 2)]
        # To leave without a last part makes the server close the connection.
        await send({"type": "http.response.body", "body": half, "more_body": True})
