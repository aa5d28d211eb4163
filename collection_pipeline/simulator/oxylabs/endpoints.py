"""Oxylabs' endpoints: Realtime and Push-Pull, for the sources amazon_bestsellers and ebay (docs/sources.md 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random

from starlette.requests import Request
from starlette.responses import Response

from collection_pipeline.simulator.answers import answer, edge_page, spoilt
from collection_pipeline.simulator.credentials import is_client
from collection_pipeline.simulator.ebay.pages import page_number, result_page
from collection_pipeline.simulator.faults import Fault
from collection_pipeline.simulator.oxylabs.jobs import (
    SOURCE,
    BadRequest,
    Job,
    Query,
    job_json,
    read_batch,
    read_body,
    read_query,
    timestamp,
)
from collection_pipeline.simulator.oxylabs.pages import (
    PARSE_FAILED,
    PARTIAL,
    UNKNOWN,
    page_url,
    parsed_page,
    raw_page,
)
from collection_pipeline.simulator.state import Simulator
from collection_pipeline.simulator.world.draws import draw, number

_FIRST_JOB = 7_508_980_415_521_124_353
_DEFAULT_LIMIT = 50


class Oxylabs:
    """The endpoints of one simulated Oxylabs."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._jobs: dict[str, Job] = {}
        self._count = 0
        value = number(simulator.config.seed, "client")
        self._limit_id = f"{value >> 32:08x}-{value >> 16 & 0xFFFF:04x}-4{value & 0xFFF:03x}-9000-{value:016x}"[:36]

    async def realtime(self, request: Request) -> Response:
        """Runs a job and answers with its results. HTTP 200 says nothing about how the job went."""
        simulator = self._simulator
        denied = self._denied(request)
        if denied is not None:
            return denied
        try:
            query = read_query(read_body(await request.body()))
        except BadRequest as refusal:
            return self._refusal(refusal, request)
        self._count_query(query)
        fault = self._fault(query)
        headers = self._take(query.pages, is_rendered=query.render == "html")
        if headers is None or _is(fault, "rate_limited"):
            return self._too_many(request)
        job = self._job(query, fault)
        await simulator.delay(simulator.config.amazon_latency_s, fault)
        if query.is_hopeless or _is(fault, "timed_out_408"):
            return answer({"message": "Timed out."}, 408)
        if _is(fault, "faulted_204"):
            return Response(status_code=204, headers={"x-oxylabs-job-status": "faulted", "x-oxylabs-job-id": job.id})
        struck = self._struck(fault)
        if struck is not None:
            return struck
        # In Realtime the job says that it was updated when it was created.
        body = self._shuffled({"results": self._results(job, bill=True), "job": job_json(self._status(job), job)}, job)
        whole = answer(body, headers={**headers, "x-oxylabs-job-id": job.id, "x-oxylabs-trace-id": self._trace()})
        return _spoilt(whole, fault)

    async def submit(self, request: Request) -> Response:
        """Push-Pull: takes a job on and answers with it at once."""
        return await self._submit(request, is_batch=False)

    async def submit_batch(self, request: Request) -> Response:
        """Push-Pull: one job per value. Values that are wrong are listed beside the jobs, still with 202."""
        return await self._submit(request, is_batch=True)

    async def job(self, request: Request) -> Response:
        """How a job stands."""
        found = self._find(request)
        return found if isinstance(found, Response) else answer(self._pushed(found))

    async def job_results(self, request: Request) -> Response:
        """A job's results. 204 is pending, faulted or expired: only a header tells which."""
        found = self._find(request)
        if isinstance(found, Response):
            return found
        simulator = self._simulator
        status = self._status(found)
        headers = {"x-oxylabs-job-status": status, "x-oxylabs-job-id": found.id}
        is_expired = simulator.now() > found.done + timedelta(seconds=simulator.config.job_lifetime_s)
        if status == "pending" or is_expired or _is(found.fault, "faulted_204"):
            return Response(status_code=204, headers=headers)
        struck = self._struck(found.fault)
        if struck is not None:
            return struck
        if request.query_params.get("type") == "raw":
            found = replace(found, query=replace(found.query, is_parsed=False))
        whole = answer({"results": self._results(found, bill=False)}, headers=headers)
        return _spoilt(whole, found.fault)

    async def page_content(self, request: Request) -> Response:
        """The content of one page of a job, alone."""
        found = self._find(request)
        if isinstance(found, Response):
            return found
        page = request.path_params["page"]
        for result in self._results(found, bill=False):
            if str(result["page"]) == page and self._status(found) == "done":
                content = result["content"]
                return answer(content) if isinstance(content, dict) else Response(str(content), media_type="text/html")
        return self._not_found(request)

    async def _submit(self, request: Request, *, is_batch: bool) -> Response:
        denied = self._denied(request)
        if denied is not None:
            return denied
        try:
            values = read_body(await request.body())
            queries, errors = read_batch(values) if is_batch else ([read_query(values)], [])
        except BadRequest as refusal:
            return self._refusal(refusal, request)
        faults = [self._fault(query) for query in queries]
        cost = sum(query.pages for query in queries)
        headers = self._take(cost, is_rendered=any(query.render == "html" for query in queries))
        if headers is None or any(_is(fault, "rate_limited") for fault in faults):
            return self._too_many(request)
        if any(_is(fault, "unauthorised_empty") for fault in faults):
            return Response(status_code=401)
        jobs = [self._job(query, fault) for query, fault in zip(queries, faults, strict=True)]
        for job in jobs:
            self._jobs[job.id] = job
            self._count_query(job.query)
        if is_batch:
            body: dict[str, object] = {"queries": [self._pushed(job) for job in jobs]}
            return answer(body | ({"errors": errors} if errors else {}), 202, headers)
        return answer(self._pushed(jobs[0]), 202, headers)

    def _count_query(self, query: Query) -> None:
        stats = self._simulator.stats
        if query.url is not None:
            stats.searches[query.subject, query.url, page_number(query.url)] += 1
            return
        for page in range(query.start_page, query.start_page + query.pages):
            stats.nodes[query.node, page] += 1

    def _fault(self, query: Query) -> Fault | None:
        faults = self._simulator.faults
        own = faults.pick("oxylabs.ebay", query.subject) if query.url is not None else None
        return own or faults.pick("oxylabs.query", query.subject)

    def _job(self, query: Query, fault: Fault | None) -> Job:
        simulator = self._simulator
        self._count += 1
        created = simulator.now()
        late = fault.seconds if fault is not None and _is(fault, "slow") else 0.0
        done = created + timedelta(seconds=simulator.config.amazon_latency_s + late)
        return Job(str(_FIRST_JOB + self._count * 7919), query, created, done, fault)

    def _status(self, job: Job) -> str:
        if job.query.is_hopeless or (job.id in self._jobs and self._simulator.now() < job.done):
            return "pending"
        is_faulted = (
            job.query.render == ""
            or (self._simulator.products.is_known(job.query.node) and self._last_page(job) < job.query.start_page)
            or any(_is(job.fault, name) for name in ("faulted_613", "faulted_400", "faulted_204", "timed_out_408"))
        )
        return "faulted" if is_faulted else "done"

    def _last_page(self, job: Job) -> int:
        return self._simulator.config.pages if job.query.url is None else job.query.start_page

    def _results(self, job: Job, *, bill: bool) -> list[dict[str, object]]:
        """One entry per page. A page that does not exist faults alone; with it first, the whole job is faulted."""
        if self._status(job) == "faulted":
            status = 400 if _is(job.fault, "faulted_400") else 613
            return [self._entry(job, job.query.start_page, status, "")]
        entries = []
        for page in range(job.query.start_page, job.query.start_page + job.query.pages):
            if page > self._last_page(job):
                entries.append(self._entry(job, page, 613, ""))
                continue
            entries.append(self._entry(job, page, 200, self._content(job, page)))
            self._simulator.stats.billed_pages += bill
        return entries

    def _content(self, job: Job, page: int) -> object:
        """A page's content, spoilt by the fault that struck its job."""
        simulator = self._simulator
        if job.query.url is not None:
            return result_page(simulator, job.query.url, job.fault.name if job.fault else "")
        node = job.query.node
        if _is(job.fault, "wrong_query"):
            node = f"{node[:-1]}{(int(node[-1]) + 1) % 10}" if node[-1:].isdigit() else "172541"
        is_first = _is(job.fault, "wrong_page") or _is(job.fault, "first_page_again")
        content = parsed_page(simulator.products, simulator.config.seed, node, 1 if is_first else page)
        if not job.query.is_parsed:
            return raw_page(content)
        rows: list[dict[str, object]] = content["results"]  # type: ignore[assignment]
        match job.fault.name if job.fault else None:
            case "oxylabs.parse_failure_empty":
                return ""
            case "oxylabs.parse_failure_12002":
                return {"parse_status_code": PARSE_FAILED}
            case "oxylabs.partial_12004":
                content["parse_status_code"] = PARTIAL
                content["_warnings"] = ["Could not parse `ratings_count` for some results."]
                for row in rows[::3]:
                    row["ratings_count"] = None
            case "oxylabs.first_page_again":
                content["page"] = page
            case "oxylabs.warnings":
                content["_warnings"] = ["Could not parse `ratings_count` for some results."]
                for row in rows[::3]:
                    row["ratings_count"] = None
            case "oxylabs.parse_unknown_12007":
                content["parse_status_code"] = UNKNOWN
            case "oxylabs.short_page":
                content["results"] = rows[: max(1, len(rows) // 10)]
            case "oxylabs.bad_row" if rows:
                rows[len(rows) // 2] |= {"asin": None, "title": None, "price": "N/A", "pos": None}
        return content

    def _entry(self, job: Job, page: int, status: int, content: object) -> dict[str, object]:
        is_parsed = status == 200 and job.query.is_parsed
        entry = {
            "content": content,
            "created_at": timestamp(job.created),
            "updated_at": timestamp(job.done),
            "page": page,
            "url": job.query.url or page_url(job.query.node, page),
            "job_id": job.id,
            "is_render_forced": job.query.render != "html",
            "status_code": status,
            "type": "parsed" if is_parsed else "raw",
            "parser_type": SOURCE if is_parsed else "",
            "parser_preset": None,
        }
        return self._shuffled(entry, job)

    def _shuffled(self, body: dict[str, object], job: Job) -> dict[str, object]:
        """The same object with its keys in another order, as Oxylabs' are from one answer to the next."""
        keys = list(body)
        draw(self._simulator.config.seed, "keys", job.id).shuffle(keys)
        return {key: body[key] for key in keys}

    def _denied(self, request: Request) -> Response | None:
        header = request.headers.get("authorization")
        if header is None:
            return self._error("Authorization header not provided.", request, 401)
        if not is_client(header, self._simulator.config.oxylabs_credentials):
            return Response(status_code=401)  # no body at all
        return None

    def _find(self, request: Request) -> Job | Response:
        denied = self._denied(request)
        if denied is not None:
            return denied
        job_id = request.path_params["job_id"]
        if not job_id.isdigit():
            return answer({"message": "Resource not found"}, 404)
        return self._jobs.get(job_id) or self._not_found(request)

    def _pushed(self, job: Job) -> dict[str, object]:
        link = f"http://data.oxylabs.io/v1/queries/{job.id}"
        links = [
            {"rel": "self", "href": link, "method": "GET"},
            {"rel": "results", "href": f"{link}/results", "method": "GET"},
        ]
        return job_json(self._status(job), job) | {"_links": links}

    def _take(self, cost: int, *, is_rendered: bool) -> dict[str, str] | None:
        """Headers that tell what is left of this second, or None if nothing is."""
        simulator = self._simulator
        config = simulator.config
        now = simulator.monotonic()
        if not simulator.oxylabs_window.take(now, cost, config.oxylabs_rate_per_s):
            return None
        headers = self._limits("", config.oxylabs_rate_per_s, simulator.oxylabs_window.used)
        if is_rendered:
            if not simulator.render_window.take(now, cost, config.oxylabs_render_rate_per_s):
                return None
            headers |= self._limits("render-", config.oxylabs_render_rate_per_s, simulator.render_window.used)
        return headers

    def _limits(self, kind: str, limit: int | None, used: int) -> dict[str, str]:
        shown = _DEFAULT_LIMIT if limit is None else limit
        left = shown - 1 if limit is None else limit - used
        prefix = f"x-ratelimit-total-{kind}requests-{self._limit_id}"
        return {"x-oxylabs-client-id": "123456", f"{prefix}-limit": str(shown), f"{prefix}-remaining": str(left)}

    def _too_many(self, request: Request) -> Response:
        limit = self._simulator.config.oxylabs_rate_per_s
        headers = self._limits("", limit or _DEFAULT_LIMIT, limit or _DEFAULT_LIMIT)
        return self._error("Too many requests. (Total Dynamic).", request, 429, headers)

    def _struck(self, fault: Fault | None) -> Response | None:
        match fault.name if fault else None:
            case "oxylabs.unauthorised_empty":
                return Response(status_code=401)
            case "oxylabs.server_error":
                return edge_page(500, "Internal Server Error")
            case "oxylabs.gateway_524":
                return edge_page(524, "A timeout occurred")
        return None

    def _refusal(self, refusal: BadRequest, request: Request) -> Response:
        body = dict(refusal.body)
        return self._error(str(body["message"]), request, 400) if "message" in body else answer(body, 400)

    def _not_found(self, request: Request) -> Response:
        return self._error("Query not found.", request, 404)

    def _error(self, message: str, request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
        body = {
            "message": message,
            "instance": request.url.path[request.url.path.index("/v1/") :],
            "timestamp": self._simulator.now().strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z",
            "trace_id": self._trace(),
        }
        return answer(body, status, headers)

    def _trace(self) -> str:
        self._count += 1
        rng: Random = draw(self._simulator.config.seed, "trace", self._count)
        return f"{rng.getrandbits(32):08x}-{rng.getrandbits(96):024x}"


def _is(fault: Fault | None, name: str) -> bool:
    return fault is not None and fault.name == f"oxylabs.{name}"


def _spoilt(whole: Response, fault: Fault | None) -> Response:
    return spoilt(whole, fault.name.removeprefix("oxylabs.")) if fault else whole
