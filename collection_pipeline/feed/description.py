"""The OpenAPI description of the server, made from the table of addresses."""

from __future__ import annotations

from collection_pipeline.feed.answer_page.operations import ANSWER_OPERATIONS
from collection_pipeline.feed.operation import Operation
from collection_pipeline.feed.operations import OPERATIONS
from collection_pipeline.feed.schemas import Schema, object_of, schema_of

_ERROR = {"application/json": {"schema": object_of({"error": schema_of(str)}, "What is wrong, in one sentence.")}}
_REFUSALS = {
    "400": "A value of the query makes no sense.",
    "401": "The token is missing or wrong.",
    "403": "Not from there, or not on this server.",
    "404": "There is no such thing.",
    "409": "The change was refused; nothing was changed.",
    "503": "The database does not answer, it would take too long, or there are too many readers.",
}


def description() -> Schema:
    """The whole description, as /openapi.json gives it."""
    paths: Schema = {}
    for operation in (*OPERATIONS, *ANSWER_OPERATIONS):
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Collection activity and answers",
            "version": "1",
            "description": "What collections do, as it happens, and what they found. With tokens configured every "
            "request needs one. Long lists come in pages: `next` of one is `after` of the next.",
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


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _described(operation: Operation) -> Schema:
    in_path = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": schema_of(str)}
        for part in operation.path.split("/")
        if part.startswith("{")
    ]
    named = [
        {"name": one.name, "in": one.place, "description": one.what, "schema": one.schema}
        | ({} if one.example is None else {"required": True, "example": one.example})
        for one in operation.parameters
    ]
    refusals = {status: {"description": reason, "content": _ERROR} for status, reason in _REFUSALS.items()}
    answer = {"description": operation.summary, "content": {operation.media_type: {"schema": operation.answer}}}
    body = {} if operation.body is None else {"requestBody": {"required": True, "content": _json(operation.body)}}
    return body | {
        "operationId": operation.endpoint.__name__,
        "summary": operation.summary,
        "parameters": in_path + named,
        "responses": {"200": answer, **refusals},
    }
