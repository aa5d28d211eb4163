"""The app: which address leads to which endpoint, and the counting around each."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collection_pipeline.simulator.answers import answer
from collection_pipeline.simulator.config import SimulatorConfig
from collection_pipeline.simulator.control import Control
from collection_pipeline.simulator.ebay.endpoints import Ebay
from collection_pipeline.simulator.oxylabs.endpoints import Oxylabs
from collection_pipeline.simulator.state import Simulator

Endpoint = Callable[[Request], Awaitable[Response]]


def build_app(config: SimulatorConfig) -> Starlette:
    """A fresh simulator; `app.state.simulator` is its Simulator."""
    simulator = Simulator(config)
    ebay, oxylabs, control = Ebay(simulator), Oxylabs(simulator), Control(simulator)

    def route(path: str, name: str, endpoint: Endpoint, *methods: str) -> Route:
        return Route(path, _counted(simulator, name, endpoint), methods=list(methods))

    data = "/oxylabs-data/v1/queries"
    app = Starlette(
        routes=[
            route("/ebay/buy/browse/v1/item_summary/search", "ebay.search", ebay.search, "GET"),
            route("/ebay/identity/v1/oauth2/token", "ebay.token", ebay.token, "POST"),
            route("/ebay/developer/analytics/v1_beta/rate_limit/", "ebay.rate_limits", ebay.rate_limits, "GET"),
            route("/ebay/developer/analytics/v1_beta/rate_limit", "ebay.rate_limits", ebay.rate_limits, "GET"),
            route("/oxylabs/v1/queries", "oxylabs.realtime", oxylabs.realtime, "POST"),
            route(data, "oxylabs.submit", oxylabs.submit, "POST"),
            route(f"{data}/batch", "oxylabs.batch", oxylabs.submit_batch, "POST"),
            route(f"{data}/{{job_id}}", "oxylabs.job", oxylabs.job, "GET"),
            route(f"{data}/{{job_id}}/results", "oxylabs.results", oxylabs.job_results, "GET"),
            route(f"{data}/{{job_id}}/results/{{page}}/content", "oxylabs.content", oxylabs.page_content, "GET"),
            Route("/_control/stats", control.stats),
            Route("/_control/truth", control.truth),
            Route("/_control/faults", control.faults, methods=["GET", "POST"]),
            Route("/_control/config", control.config, methods=["GET", "POST"]),
            Route("/_control/reset", control.reset, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _no_such_address},
    )
    app.state.simulator = simulator
    return app


def _counted(simulator: Simulator, name: str, endpoint: Endpoint) -> Endpoint:
    async def counted(request: Request) -> Response:
        with simulator.stats.request(name, simulator.monotonic()):
            response = await endpoint(request)
        if response.status_code >= 400:
            simulator.stats.rejected[name][_code(response)] += 1
        return response

    return counted


def _code(response: Response) -> str:
    """The status of a refusal, with eBay's errorId where there is one."""
    try:
        return f"{response.status_code}/{json.loads(bytes(response.body))['errors'][0]['errorId']}"
    except (ValueError, LookupError, TypeError):
        return str(response.status_code)


async def _no_such_address(request: Request, error: Exception) -> Response:  # noqa: ARG001
    status = error.status_code if isinstance(error, HTTPException) else 500
    return answer({"message": "Resource not found"}, status)
