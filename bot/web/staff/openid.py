"""Logging in with OpenID Connect, by Authlib: code flow with PKCE, state and nonce.

The provider says who somebody is and in which groups; a group that the settings name gives the role. Whoever logs in
for the first time gets an account without a password, and an account with one is never entered this way: a name at
the provider must not open somebody else's account here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, cast

import httpx2
from anyio import to_thread
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from fastapi import APIRouter, Request, Response
from joserfc.errors import JoseError

from bot.answer.errors import AccountError
from bot.settings import Settings
from bot.staff.accounts import Role
from bot.web.staff.authentication import hold_token
from bot.web.staff.staff_page import PATH, StaffServices, show

_PATH = f"{PATH}/openid"
_COOKIE = "footnote-openid"
_MINUTES = 10


def openid_routes(services: StaffServices) -> APIRouter:
    """Return the way to the provider and the way back; no routes where no provider is set."""
    router = APIRouter()
    settings = services.settings
    if not settings.oidc_issuer:
        return router
    provider = _provider(settings)

    @router.get("/openid/start")
    async def start(request: Request) -> Response:
        states: dict[str, Any] = {}
        request.scope["session"] = states
        back = f"{request.url.scheme}://{request.url.netloc}{_PATH}"
        try:
            redirect = cast(Response, await provider.authorize_redirect(request, back))
        except (OAuthError, httpx2.HTTPError, ValueError) as error:
            raise AccountError(_unreachable(settings)) from error
        _keep(request, redirect, states)
        return redirect

    @router.get("/openid")
    async def come_back(request: Request) -> Response:
        request.scope["session"] = _kept(request)
        claims_options = {
            "iss": {"essential": True, "value": settings.oidc_issuer},
            "aud": {"essential": True, "value": settings.oidc_client_id},
        }
        try:
            given = await provider.authorize_access_token(request, claims_options=claims_options)
        except httpx2.HTTPError as error:
            raise AccountError(_unreachable(settings)) from error
        except (OAuthError, JoseError, ValueError) as error:
            raise AccountError("The login was not completed: begin again at the login page.") from error
        claims: Mapping[str, Any] = given.get("userinfo") or {}
        name, role = _name(settings, claims), _role(settings, claims)
        await to_thread.run_sync(services.accounts.enter, name, role)
        token = await to_thread.run_sync(services.sessions.open, name, "openid")
        # A page of ours between: a browser that comes from another site holds the cookie back until it goes on.
        entered = show(request, "entered.html")
        hold_token(request, entered, token)
        entered.delete_cookie(_COOKIE, path=_PATH)
        return entered

    return router


def _provider(settings: Settings) -> Any:
    return OAuth().register(
        "staff",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": settings.oidc_scope, "code_challenge_method": "S256", "timeout": 10},
    )


def _unreachable(settings: Settings) -> str:
    return f"The OpenID provider {settings.oidc_issuer!r} does not answer: try again, or log in with a password."


def _name(settings: Settings, claims: Mapping[str, Any]) -> str:
    name = claims.get(settings.oidc_name_claim)
    if not isinstance(name, str) or not name:
        raise AccountError(f"The provider does not say who you are (claim {settings.oidc_name_claim!r}): ask an admin.")
    if settings.oidc_name_claim == "email" and claims.get("email_verified") is not True:
        raise AccountError("The provider has not verified your address: do that there first.")
    return name


def _role(settings: Settings, claims: Mapping[str, Any]) -> Role:
    """Return the highest role that the provider's groups give."""
    said = claims.get(settings.oidc_role_claim)
    groups = said if isinstance(said, list) else [said]
    roles = {settings.oidc_roles[group] for group in groups if isinstance(group, str) and group in settings.oidc_roles}
    ranked: tuple[Role, ...] = ("admin", "staff", "evaluator")
    for role in ranked:
        if role in roles:
            return role
    raise AccountError("Your account at the provider has no role here: ask an admin to add you to a group that has.")


def _keep(request: Request, response: Response, states: Mapping[str, Any]) -> None:
    """Have the browser keep what proves, when it comes back, that it was it who left."""
    kept = base64.urlsafe_b64encode(json.dumps(states).encode()).decode()
    # Lax, since it comes back from another site.
    secure = request.url.scheme == "https"
    response.set_cookie(_COOKIE, kept, max_age=60 * _MINUTES, path=_PATH, httponly=True, samesite="lax", secure=secure)


def _kept(request: Request) -> dict[str, Any]:
    try:
        states = json.loads(base64.urlsafe_b64decode(request.cookies.get(_COOKIE, "")))
    except ValueError:
        return {}
    return states if isinstance(states, dict) else {}
