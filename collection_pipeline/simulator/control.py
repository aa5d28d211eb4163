"""The control endpoints, /_control: what tests ask the simulator about itself, and how they make it misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from collection_pipeline.simulator.answers import answer
from collection_pipeline.simulator.config import RUNTIME_FIELDS
from collection_pipeline.simulator.faults import FAULTS, Fault
from collection_pipeline.simulator.state import Simulator
from collection_pipeline.simulator.truth import Collection, truth
from collection_pipeline.simulator.world.kinds import DEFAULT_HIGH, DEFAULT_LOW


class Control:
    """The control endpoints of one simulator. A wrong request gets 400 and a sentence."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def stats(self, request: Request) -> Response:  # noqa: ARG002
        """Requests, refusals, concurrency and rates so far."""
        simulator = self._simulator
        now = simulator.now()
        quota = {
            "used": simulator.quota.used,
            "limit": simulator.config.ebay_daily_quota,
            "resets_at": simulator.quota.resets_at(now).isoformat(),
        }
        return answer({**simulator.stats.as_json(), "faults": dict(simulator.faults.struck), "ebay_quota": quota})

    async def truth(self, request: Request) -> Response:
        """What a perfect collection of the given nodes would find."""
        query = request.query_params
        nodes = list(dict.fromkeys(query.getlist("node")))
        if not nodes:
            return _wrong("Name at least one node: /_control/truth?node=172541.")
        try:
            collection = Collection(
                low=Decimal(query.get("low", str(DEFAULT_LOW))),
                high=Decimal(query.get("high", str(DEFAULT_HIGH))),
                max_pages=int(query.get("max_pages", "3")),
                limit=int(query.get("limit", "200")),
                sees_condition=query.get("sees_condition", "true").lower() != "false",
            )
        except (InvalidOperation, ValueError):
            return _wrong("low and high are numbers such as 1.8; max_pages and limit are whole numbers.")
        # In a thread, because the truth of many nodes takes seconds and searches must not wait for it; in one of the
        # loop's own, because those are gone when the server has stopped.
        return answer(await asyncio.to_thread(truth, self._simulator, nodes, collection))

    async def faults(self, request: Request) -> Response:
        """Shows what is switched on and what there is; a POST of a list replaces what is switched on."""
        if request.method == "POST":
            try:
                self._simulator.faults.set(read_faults(await _body(request)))
            except (TypeError, ValueError) as error:
                return _wrong(str(error))
        on = [asdict(fault) for fault in self._simulator.faults.faults]
        return answer({"faults": on, "catalogue": dict(FAULTS)})

    async def config(self, request: Request) -> Response:
        """Shows how it behaves; a POST of some fields changes them."""
        if request.method == "POST":
            try:
                changes = await _body(request)
                if not isinstance(changes, dict):
                    return _wrong('Send an object such as {"ebay_latency_s": 0.5}.')
                self._simulator.configure(changes)
            except (TypeError, ValueError) as error:
                return _wrong(str(error))
        config = self._simulator.config
        shown = {name: getattr(config, name) for name in sorted(RUNTIME_FIELDS) if "credentials" not in name}
        return answer(shown)

    async def reset(self, request: Request) -> Response:  # noqa: ARG002
        """Forgets statistics, quotas and tokens; faults stay on and count from the start."""
        self._simulator.reset()
        return answer({"reset": True})


def read_faults(values: Any) -> list[Fault]:
    """A list of faults from JSON: names, or objects with the fields of Fault. Raises TypeError or ValueError."""
    if not isinstance(values, list):
        raise ValueError('Send a list such as ["ebay.rate_limited", {"name": "oxylabs.slow", "share": 0.1}].')
    faults: list[Fault] = []
    for value in values:
        fields: Mapping[str, Any] = {"name": value} if isinstance(value, str) else value
        if not isinstance(fields, dict) or not fields.keys() <= Fault.__dataclass_fields__.keys():
            raise ValueError(f"{value!r} is no fault; its fields are {', '.join(Fault.__dataclass_fields__)}.")
        faults.append(Fault(**fields))
    return faults


async def _body(request: Request) -> Any:
    return json.loads(await request.body() or b"null")


def _wrong(sentence: str) -> Response:
    return answer({"error": sentence}, 400)
