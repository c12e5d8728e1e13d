"""What is attached to a report for machines: its name, its runs and hashes, who signed it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from medview.domain.report import Report
from medview.domain.signing import Signature
from medview.io.code_version import code_version
from medview.io.drafts import signature_of
from medview.io.plain import plain
from medview.io.resultjson import result_dict
from medview.services.report_material import Material

MANIFEST_SCHEMA = "medview.manifest/1"


def new_report_id() -> str:
    """A name for a report that says nothing of whom it is about."""
    return f"{secrets.token_hex(2)}-{secrets.token_hex(2)}"


def signatures_of(manifest: Mapping[str, Any]) -> tuple[Signature, ...]:
    """Who signed an earlier report, from what is attached to it."""
    return tuple(signature_of(each) for each in manifest.get("signatures", ()))


def manifest_of(material: Material, report: Report, digest: str) -> dict[str, object]:
    """What is attached for machines: the runs and hashes, nothing of who it is."""
    results = []
    for each in material.outcomes:
        body = result_dict(each.prediction)
        if material.private:
            body["inputs"] = [item | {"study": None, "series": None} for item in body["inputs"]]
            for each_map in body["maps"]:
                each_map["grid"]["frame_of_reference"] = ""
        said = [plain(replace(o, by="") if material.private else o) for o in each.opinions]
        results.append({"file_sha256": each.file_sha256 or None, "result": body, "opinions": said})
    return {
        "schema": MANIFEST_SCHEMA,
        "report_id": report.report_id,
        "made_at": report.made_at,
        "status": report.status,
        "code": code_version(),
        "content_sha256": digest,
        "results": results,
        "signatures": [_attached(each, report, digest) for each in material.history],
    }


def _attached(signature: Signature, report: Report, digest: str) -> dict[str, object]:
    """A signature as it is attached: with the hashes of what it covers, without the words."""
    covered = tuple(replace(each, text="") for each in signature.statements)
    made = replace(
        signature,
        at=signature.at or report.made_at,
        report_id=signature.report_id or report.report_id,
        content_sha256=signature.content_sha256 or digest,
        statements=covered,
        about="",
    )
    return dict(plain(made))
