"""A BuiltWith on loopback: the lookup, the bulk job and its one-time result, limits and credits."""

from __future__ import annotations

from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiencehub.sandbox.company import Company
from audiencehub.sandbox.company.records import Technology
from audiencehub.sandbox.kit import VendorSandbox

SYNC_MAX = 10
BULK_MAX = 5000
LOOKUP_MAX = 16
CREDITS = 200_000


class BuiltWithSandbox(VendorSandbox):
    """Answers from the demo company's technologies. A job is complete at its third look."""

    vendor: ClassVar[str] = "builtwith"

    def routes(self) -> list[Route]:
        """The lookup, the bulk job, and the usage page."""
        return [
            Route("/v22/api.json", self._lookup),
            Route("/v22/domain/bulk", self._submit, methods=["POST"]),
            Route("/v22/domain/bulk/{job}", self._status),
            Route("/v22/domain/bulk/{job}/result", self._result),
            Route("/usagev2/api.json", self._usage),
        ]

    def seed(self, company: Company) -> None:
        """One document per domain."""
        sites: dict[str, list[dict[str, Any]]] = {}
        for one in company.technologies:
            sites.setdefault(one.domain, []).append(_technology(one))
        self.store.table("site").put({domain: {"found": found} for domain, found in sites.items()})

    def advance(self, before: Company, after: Company) -> None:  # noqa: ARG002 - state holds it
        """The next day's findings take the place of the former."""
        self.seed(after)

    async def _lookup(self, request: Request) -> Response:
        domains = [one for one in request.query_params.get("LOOKUP", "").split(",") if one]
        if not self._known(request):
            return _refused()
        if not 1 <= len(domains) <= LOOKUP_MAX:
            return JSONResponse({"Errors": [{"Message": "Invalid lookup", "Code": -4}]}, 400)
        return self._answer(domains, {})

    async def _submit(self, request: Request) -> Response:
        if not self._known(request):
            return _refused()
        body = await request.json()
        domains = body.get("lookups") if isinstance(body, dict) else None
        if not isinstance(domains, list) or not 1 <= len(domains) <= BULK_MAX:
            return JSONResponse({"error": "lookups must hold 1 to 5000 domains"}, 400)
        options = body.get("options") or {}
        if len(domains) <= SYNC_MAX:
            return self._answer(domains, options)
        jobs = self.store.table("job")
        job = f"job-{len(jobs) + 1:06d}"
        jobs[job] = {"lookups": domains, "options": options, "looks": 0, "taken": False}
        return JSONResponse(
            {"job_id": job, "status": "queued", "count": len(domains), "sync_max": SYNC_MAX}
        )

    async def _status(self, request: Request) -> Response:
        if not self._known(request):
            return _refused()
        jobs, job = self.store.table("job"), request.path_params["job"]
        if job not in jobs:
            return JSONResponse({"error": "job not found"}, 404)
        looks = jobs[job]["looks"] + 1
        jobs[job] = {**jobs[job], "looks": looks}
        status = "queued" if looks == 1 else "processing" if looks == 2 else "complete"
        return JSONResponse({"job_id": job, "status": status, "count": len(jobs[job]["lookups"])})

    async def _result(self, request: Request) -> Response:
        if not self._known(request):
            return _refused()
        jobs, job = self.store.table("job"), request.path_params["job"]
        if job not in jobs or jobs[job]["taken"] or jobs[job]["looks"] < 3:
            return JSONResponse({"error": "result not found"}, 404)
        jobs[job] = {**jobs[job], "taken": True}
        return self._answer(jobs[job]["lookups"], jobs[job]["options"])

    async def _usage(self, request: Request) -> Response:
        if not self._known(request):
            return _refused()
        used = self._used()
        return JSONResponse({"used": used, "purchased": CREDITS, "remaining": CREDITS - used})

    def _answer(self, domains: list[str], options: dict[str, Any]) -> Response:
        sites, results = self.store.table("site"), []
        for domain in domains:
            found = sites.get(domain, {}).get("found", [])
            if options.get("liveOnly"):
                found = [one for one in found if one["Live"]]
            if found:
                path = {"Domain": domain, "Url": "", "SubDomain": "", "Technologies": found}
                meta = {} if options.get("noMeta") else {"CompanyName": "", "Country": ""}
                results.append({"Result": {"Lookup": domain, "Meta": meta, "Paths": [path]}})
        used = self._used() + len(results)
        self.store.table("credit")["used"] = {"used": used}
        headers = {
            "X-API-CREDITS-AVAILABLE": str(CREDITS),
            "X-API-CREDITS-USED": str(used),
            "X-API-CREDITS-REMAINING": str(CREDITS - used),
        }
        return JSONResponse({"Results": results, "Errors": []}, headers=headers)

    def _used(self) -> int:
        return int(self.store.table("credit").get("used", {"used": 0})["used"])

    def _known(self, request: Request) -> bool:
        word, _, key = request.headers.get("authorization", "").partition(" ")
        return word == "API" and key == self.options.get("token", "sandbox-token")


def _technology(one: Technology) -> dict[str, Any]:
    return {
        "Name": one.name,
        "Tag": one.category.lower(),
        "Categories": [{"Category": one.category}],
        "FirstDetected": int(one.first_detected_at.timestamp() * 1000),
        "LastDetected": int(one.last_detected_at.timestamp() * 1000),
        "Live": one.live,
    }


def _refused() -> Response:
    return JSONResponse({"Errors": [{"Message": "API key is invalid", "Code": -2}]}, 401)
