"""CRM objects: list, one record, batches with 207, merge."""

from __future__ import annotations

from typing import Any

from connectors.hubspot.sandbox.associations import linked
from connectors.hubspot.sandbox.call import Answer, Call
from connectors.hubspot.sandbox.catalog import SINGULAR
from connectors.hubspot.sandbox.replies import Refusal, error, not_found
from connectors.hubspot.sandbox.search import search as run_search
from connectors.hubspot.sandbox.state import iso

Json = dict[str, Any]


def page(call: Call) -> Answer:
    """`GET …/{type}`: by id, ascending, live or archived."""
    records, kind = call.records, call.kind()
    limit = int(call.query.get("limit", "10"))
    if not 0 < limit <= 100:
        raise error(400, "VALIDATION_ERROR", "Invalid limit: must be between 1 and 100")
    archived = call.query.get("archived", "false") == "true"
    ids = records.order(
        ("list", kind, archived),
        lambda: sorted(
            (r["id"] for r in records.table(kind).values() if r["archived"] == archived), key=int
        ),
    )
    after = call.query.get("after") or "0"
    start = next((n for n, one in enumerate(ids) if int(one) > int(after)), len(ids))
    chosen = ids[start : start + limit]
    table, names = records.table(kind), call.names("properties")
    results = [records.shown(kind, table[one], names) for one in chosen]
    for other in call.names("associations"):
        for result in results:
            found = linked(records, kind, records.kind(other), result["id"])
            if found:
                result.setdefault("associations", {})[other] = {
                    "results": [{"id": to, "type": f"{kind}_to_{other}"} for to, _ in found]
                }
    body: Json = {"results": results}
    if start + limit < len(ids):
        link = f"{call.request.url.replace(query='')}?limit={limit}&after={chosen[-1]}"
        body["paging"] = {"next": {"after": chosen[-1], "link": link}}
    return 200, body


def create(call: Call) -> Answer:
    """`POST …/{type}`."""
    return 201, _create(call, call.kind(), call.body)


def get(call: Call) -> Answer:
    """`GET …/{type}/{id}`, also by `idProperty`."""
    kind = call.kind()
    record = _find(call, kind, call.path["id"], call.query.get("idProperty"))
    if record is None:
        raise error(404, "OBJECT_NOT_FOUND", f"resource not found: {kind}")
    return 200, call.records.shown(kind, record, call.names("properties"))


def patch(call: Call) -> Answer:
    """`PATCH …/{type}/{id}`."""
    kind, values = call.kind(), call.body.get("properties", {})
    call.records.validate(kind, values)
    record = _find(call, kind, call.path["id"], call.query.get("idProperty"))
    if record is None:
        raise error(404, "OBJECT_NOT_FOUND", f"resource not found: {kind}")
    return 200, _update(call, kind, record, values)


def delete(call: Call) -> Answer:
    """`DELETE …/{type}/{id}`: archived, or already gone."""
    call.records.archive(call.kind(), call.path["id"])
    return 204, None


def search(call: Call) -> Answer:
    """`POST …/{type}/search`."""
    return 200, run_search(call.records, call.kind(), call.body)


def merge(call: Call) -> Answer:
    """`POST …/{type}/merge`."""
    kind, body = call.kind(), call.body
    winner = call.records.merge(kind, str(body["primaryObjectId"]), str(body["objectIdToMerge"]))
    return 200, call.records.shown(kind, winner, None)


def batch_read(call: Call) -> Answer:
    """`POST …/batch/read`: 207 as soon as one id does not exist."""
    kind, inputs = call.kind(), _inputs(call)
    unique = call.body.get("idProperty")
    found = [(one["id"], _find(call, kind, one["id"], unique)) for one in inputs]
    shown = [call.records.shown(kind, r, call.body.get("properties")) for _, r in found if r]
    return _batch(call, kind, shown, [id_ for id_, record in found if record is None])


def batch_update(call: Call) -> Answer:
    """`POST …/batch/update`: values refused as a whole, missing ids one by one."""
    kind, inputs = call.kind(), _inputs(call)
    if any(one.get("idProperty") for one in inputs):
        raise error(
            400, "VALIDATION_ERROR", "Unable to perform update/upsert by non-unique 0-1 property"
        )
    ids = [str(one["id"]) for one in inputs]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise error(
            400,
            "VALIDATION_ERROR",
            f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique",
        )
    for one in inputs:
        call.records.validate(kind, one.get("properties", {}))
    done, missing = [], []
    for one in inputs:
        record = call.records.find(kind, str(one["id"]))
        if record is None:
            missing.append(str(one["id"]))
        else:
            done.append(_update(call, kind, record, one.get("properties", {})))
    return _batch(call, kind, done, missing)


def batch_create(call: Call) -> Answer:
    """`POST …/batch/create`: an e-mail that exists refuses the whole batch, or its row where
    every input carries a trace id."""
    kind, inputs = call.kind(), _inputs(call)
    traced = all(one.get("objectWriteTraceId") for one in inputs)
    made, failed = [], []
    for one in inputs:
        try:
            made.append(_create(call, kind, one))
        except Refusal as refusal:
            if not traced or refusal.status != 409:
                raise
            context = {"objectWriteTraceId": [one["objectWriteTraceId"]]}
            failed.append({**refusal.body, "context": context})
    body = _batch(call, kind, made, [])[1]
    if failed:
        body |= {"numErrors": len(failed), "errors": failed}
    return (207 if failed else 201), body


def batch_upsert(call: Call) -> Answer:
    """`POST …/batch/upsert` by a unique property; each row says whether it is new."""
    kind, out = call.kind(), []
    for one in _inputs(call):
        unique, value = one.get("idProperty"), str(one["id"])
        record = _find(call, kind, value, unique)
        call.records.validate(kind, one.get("properties", {}))
        if record is not None:
            out.append({**_update(call, kind, record, one["properties"]), "new": False})
            continue
        if not unique:
            raise error(400, "VALIDATION_ERROR", "idProperty is required to create")
        values = {**one["properties"], unique: value}
        out.append({**_create(call, kind, {"properties": values}), "new": True})
    return _batch(call, kind, out, [])


def batch_archive(call: Call) -> Answer:
    """`POST …/batch/archive`."""
    for one in _inputs(call):
        call.records.archive(call.kind(), str(one["id"]))
    return 204, None


def _inputs(call: Call) -> list[Json]:
    inputs = call.body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise error(400, "VALIDATION_ERROR", "Invalid input JSON: inputs must not be empty")
    limit = 50 if call.body.get("propertiesWithHistory") else 100
    if len(inputs) > limit:
        raise error(400, "VALIDATION_ERROR", f"The maximum number of inputs supported is {limit}")
    if any(not one.get("id") for one in inputs) and not call.request.url.path.endswith("/create"):
        raise error(400, "VALIDATION_ERROR", "Some required fields were not set: [id]")
    return inputs


def _find(call: Call, kind: str, id_: str, unique: str | None) -> Json | None:
    if unique in (None, "", "hs_object_id"):
        return call.records.find(kind, str(id_))
    return call.records.by_value(kind, str(unique), str(id_))


def _update(call: Call, kind: str, record: Json, values: Json) -> Json:
    changed = call.records.change(kind, record, values)
    call.log(changed["id"], "update", object=kind, properties=values)
    return call.records.shown(kind, changed, [*values])


def _create(call: Call, kind: str, body: Json) -> Json:
    values = body.get("properties", {})
    call.records.validate(kind, values)
    email = values.get("email")
    known = call.records.by_value(kind, "email", email) if kind == "contacts" and email else None
    if known:
        raise error(409, "CONFLICT", f"Contact already exists. Existing ID: {known['id']}")
    now = call.records.clock.tick()
    record = call.records.make(call.records.new_id(), values, now, now)
    call.records.put(kind, [record])
    call.log(record["id"], "create", object=kind, properties=values)
    return call.records.shown(kind, record, [*values])


def _batch(call: Call, kind: str, results: list[Json], missing: list[str]) -> tuple[int, Json]:
    now = iso(call.records.clock.now())
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if not missing:
        return 200, body
    if call.records.options.get("shuffle_batches"):
        results.reverse()
    entry = not_found(SINGULAR[kind], missing)
    return 207, {**body, "numErrors": 1, "errors": [entry]}
