"""The OpenAPI description of the server, made from the table of addresses."""

from __future__ import annotations

from collection_pipeline.feed.operations import OPERATIONS, Operation
from collection_pipeline.feed.schemas import Schema, object_of, schema_of

_ERROR = {"application/json": {"schema": object_of({"error": schema_of(str)}, "What is wrong, in one sentence.")}}
_REFUSALS = {
    "400": "A value of the query makes no sense.",
    "401": "The token is missing or wrong.",
    "403": "Not from there, or not on this server.",
    "404": "There is no such collection.",
    "503": "The database does not answer, or there are too many readers.",
}


def description() -> Schema:
    """The whole description, as /openapi.json gives it."""
    paths: Schema = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Collection activity",
            "version": "1",
            "description": "What collections do, as it happens. With a token configured every request needs it.",
        },
        "paths": paths,
        "security": [{}, {"bearer": []}, {"query": []}],
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            }
        },
    }


def _described(operation: Operation) -> Schema:
    in_path = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": schema_of(str)}
        for part in operation.path.split("/")
        if part.startswith("{")
    ]
    named = [
        {"name": one.name, "in": one.place, "description": one.what, "schema": one.schema}
        for one in operation.parameters
    ]
    refusals = {status: {"description": reason, "content": _ERROR} for status, reason in _REFUSALS.items()}
    answer = {"description": operation.summary, "content": {operation.media_type: {"schema": operation.answer}}}
    return {
        "operationId": operation.endpoint.__name__,
        "summary": operation.summary,
        "parameters": in_path + named,
        "responses": {"200": answer, **refusals},
    }
