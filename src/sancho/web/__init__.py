"""The web page: its built files served, and its session, which a browser keeps so that no script can read it.

The page itself is TypeScript below `web/`; `make web` builds it into `static/`, which a wheel contains. It talks to the
native API with an access token that it keeps in memory:

    sign in ──code + PKCE──▶ POST /ui/session ──▶ access token (to the page) + refresh token (a cookie, HttpOnly)
                                                        │
                     reload, or the token ends ──▶ POST /ui/session/renewal      DELETE /ui/session: signed out

Everything below `/ui/` that is no file is the page: its own router decides what it shows. See ADR 0040.
"""
