"""Checks what `hoptrail export` writes against the other side's own definitions.

  otlp   parsed into opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest by protobuf's
         JSON mapping, unknown fields refused, then the ids, times and parents looked at
  ocsf   validated against the OCSF 1.7.0 schema, class by class, with the profiles that the event
         names

Usage: check.py otlp FILE... | check.py ocsf FILE...
"""

import base64
import json
import re
import sys


def fail(words):
    sys.exit(f"check.py: {words}")


def otlp(path):
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceRequest,
    )

    document = json.load(open(path, encoding="utf-8"))

    # OTLP's one change to protobuf's mapping: ids are hexadecimal and not base64.
    def ids(value):
        if isinstance(value, list):
            return [ids(one) for one in value]
        if not isinstance(value, dict):
            return value
        out = {}
        for key, one in value.items():
            length = {"traceId": 32, "spanId": 16, "parentSpanId": 16}.get(key)
            if length is None:
                out[key] = ids(one)
                continue
            if not re.fullmatch(f"[0-9a-f]{{{length}}}", one) or set(one) == {"0"}:
                fail(f"{path}: {key} is {one!r}")
            out[key] = base64.b64encode(bytes.fromhex(one)).decode()
        return out

    # And enums are numbers, which the parser takes in either way.
    request = json_format.ParseDict(
        ids(document), ExportTraceServiceRequest(), ignore_unknown_fields=False
    )
    spans = [
        span
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    if not spans:
        fail(f"{path}: no spans")
    if len({span.trace_id for span in spans}) != 1:
        fail(f"{path}: more than one trace")
    known = {span.span_id for span in spans}
    if len(known) != len(spans):
        fail(f"{path}: a span id stands twice")
    roots = [span for span in spans if not span.parent_span_id]
    if len(roots) != 1:
        fail(f"{path}: {len(roots)} roots")
    for span in spans:
        if span.parent_span_id and span.parent_span_id not in known:
            fail(f"{path}: {span.name} has a parent that is not there")
        if span.end_time_unix_nano < span.start_time_unix_nano:
            fail(f"{path}: {span.name} ends before it begins")
        if span.kind == 0 or not span.name:
            fail(f"{path}: a span without kind or name")
        keys = [attribute.key for attribute in span.attributes]
        if len(set(keys)) != len(keys):
            fail(f"{path}: {span.name} has an attribute twice: {keys}")
        if span.status.message and span.status.code != 2:
            fail(f"{path}: {span.name} has a message without an error")
    for resource in request.resource_spans:
        if "service.name" not in {one.key for one in resource.resource.attributes}:
            fail(f"{path}: a resource without service.name")
    errors = sum(span.status.code == 2 for span in spans)
    services = len(request.resource_spans)
    # What a collector does next: the binary form, there and back.
    again = ExportTraceServiceRequest.FromString(request.SerializeToString())
    if again != request:
        fail(f"{path}: the binary form is another")
    print(f"otlp: {path}: {len(spans)} spans of {services} services, {errors} errors")


def ocsf(path):
    from jsonschema import Draft202012Validator
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.7.0"))
    counts = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            event = json.loads(line)
            name = schema.lookup_class_name_from_uid(class_uid=event["class_uid"])
            rules = schema.get_class_schema(
                class_name=name, profiles=event["metadata"].get("profiles", [])
            )
            errors = list(Draft202012Validator(rules).iter_errors(event))
            if errors:
                told = "\n  ".join(f"{e.json_path}: {e.message[:300]}" for e in errors)
                fail(f"{path}:{number}: not a valid {name}:\n  {told}")
            if event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
                fail(f"{path}:{number}: type_uid is wrong")
            counts[name] = counts.get(name, 0) + 1
    if not counts:
        fail(f"{path}: no events")
    print(f"ocsf: {path}: {counts}")


def main():
    check = {"otlp": otlp, "ocsf": ocsf}.get(sys.argv[1] if len(sys.argv) > 1 else "")
    if check is None or len(sys.argv) < 3:
        sys.exit(__doc__)
    for path in sys.argv[2:]:
        check(path)


main()
