#!/usr/bin/env python3
"""Keycard's own Python library against a running lab: sign-in, refresh, exchange, and the denial.

usage: keycard.py ENV_FILE     (of `hoptrail lab --write-env ENV_FILE`, the policy in force)
"""
import asyncio, sys
from urllib.parse import parse_qsl, urljoin

import httpx
from keycardai.oauth import AsyncClient, BasicAuth, NoneAuth, OAuthProtocolError
from keycardai.oauth.pkce.web import begin_authorization, complete_authorization

REDIRECT_URI = "http://127.0.0.1:7997/callback"
MOST_PAGES = 24


async def consent(start):
    """Takes each page's default choice (src/protocol/page.rs); the answer is the callback's query."""
    async with httpx.AsyncClient(headers={"accept": "application/json"}) as browser:
        answer = await browser.get(start)
        for _ in range(MOST_PAGES):
            if answer.is_redirect:
                at = urljoin(str(answer.url), answer.headers["location"])
                if at.startswith(REDIRECT_URI):
                    return dict(parse_qsl(httpx.URL(at).query.decode()))
                answer = await browser.get(at)
                continue
            form = answer.raise_for_status().json()
            fields = dict(form["fields"])
            choices = form.get("choices") or []
            choice = next((one for one in choices if one.get("default")), choices[0] if choices else None)
            if choice:
                fields[choice["name"]] = choice["value"]
            if form["method"] == "GET":
                answer = await browser.get(form["action"], params=fields)
            else:
                answer = await browser.post(form["action"], data=fields)
    raise AssertionError(f"no end after {MOST_PAGES} pages")


async def main(env):
    zone, resource = env["KEYCARD_URL"], env["MCP_RESOURCE_URL"]
    async with httpx.AsyncClient() as http:
        challenge = (await http.post(resource, json={})).headers["www-authenticate"]

    async with AsyncClient(zone, auth=NoneAuth()) as client:
        registered = await client.register_client(
            client_name="Keycard's Python library",
            redirect_uris=[REDIRECT_URI],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="none",
        )
        begun = await begin_authorization(
            client_id=registered.client_id,
            redirect_uri=REDIRECT_URI,
            resources=[resource],
            www_authenticate_header=challenge,
        )
        signed_in = await complete_authorization(
            callback_params=await consent(begun.url),
            state=begun.state,
            code_verifier=begun.code_verifier,
            client_id=registered.client_id,
            redirect_uri=REDIRECT_URI,
            www_authenticate_header=challenge,
        )
        print("ok  keycardai-oauth signs in from the challenge")

        first = signed_in.refresh_token
        refreshed = await client.refresh_token_grant(refresh_token=first, client_id=registered.client_id)
        assert refreshed.refresh_token != first, "a refresh token is good for once"
        print("ok  keycardai-oauth refreshes")

    application = BasicAuth(env["KEYCARD_CLIENT_ID"], env["KEYCARD_CLIENT_SECRET"])
    async with AsyncClient(zone, auth=application) as server:

        async def exchange(target, scope=None):
            return await server.exchange_token(
                subject_token=refreshed.access_token,
                subject_token_type="urn:ietf:params:oauth:token-type:access_token",
                resource=target,
                scope=scope,
            )

        linear = env["LINEAR_API_URL"]
        for target, scope in [
            (env["SUPABASE_URL"], None),
            (env["ANTHROPIC_API_URL"], None),
            (linear, "read"),
            (linear, "issues:create"),
        ]:
            credential = await exchange(target, scope)
            assert credential.access_token and credential.access_token != refreshed.access_token
        print("ok  keycardai-oauth exchanges for all four resources")

        try:
            await exchange(linear, "write")
        except OAuthProtocolError as refusal:
            assert refusal.error == "access_denied", refusal
            assert "limit-linear-scopes" in (refusal.error_description or ""), refusal
            assert not refusal.retryable, refusal
        else:
            raise AssertionError("`write` was issued")
        print("ok  keycardai-oauth is refused `write`, by name")


with open(sys.argv[1], encoding="utf-8") as file:
    lines = (line.strip() for line in file)
    asyncio.run(main(dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")))
