"""The built page at ``/``: hashed files for ever, everything else asked for anew; unknown paths are the page's own."""

import mimetypes
from pathlib import Path

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from api import problems

FOR_EVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"
NOT_BUILT = "The page is not built: run `make page`, then start Lingyun again. The API is at /api/v1/openapi.json.\n"
mimetypes.add_type("application/manifest+json", ".webmanifest")


class PageFiles:
    """Answers what no route does; ``folder`` None is a page that was not built."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None else folder.resolve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        response = await anyio.to_thread.run_sync(self._response, scope)
        await response(scope, receive, send)

    def _response(self, scope: Scope) -> Response:
        path: str = scope["path"]
        if path.startswith("/api/") or path == "/api":
            return problems.problem(404, "not_found", f"there is nothing at {path[:200]}")
        if scope["method"] not in ("GET", "HEAD"):
            return problems.problem(405, "method_not_allowed", "a page is only read", headers={"Allow": "GET, HEAD"})
        if self._folder is None:
            if path == "/":
                return PlainTextResponse(NOT_BUILT)
            return problems.problem(404, "not_found", f"there is nothing at {path[:200]}")
        return self._file(self._folder, path, Headers(scope=scope))

    def _file(self, folder: Path, path: str, headers: Headers) -> Response:
        found = _inside(folder, path)
        if found is not None:
            hashed = path.startswith("/assets/")
            return _sent(found, FOR_EVER if hashed else ASK_FIRST, headers)
        if "." in path.rsplit("/", 1)[-1]:  # a file that is missing, not a view of the page
            return problems.problem(404, "not_found", f"there is no file {path[:200]}")
        return _sent(folder / "index.html", ASK_FIRST, headers)


def _inside(folder: Path, path: str) -> Path | None:
    """The file of a path, never one outside the folder or hidden in it."""
    try:
        found = (folder / path.lstrip("/")).resolve()
        hidden = any(part.startswith(".") for part in found.relative_to(folder).parts)
        return found if found.is_file() and not hidden else None
    except (ValueError, OSError):
        return None


def _sent(file: Path, cache: str, headers: Headers) -> Response:
    response = FileResponse(file, headers={"Cache-Control": cache}, stat_result=file.stat())
    known = headers.get("if-none-match", "")
    if response.headers.get("etag") in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
        return Response(status_code=304, headers={"Cache-Control": cache, "ETag": response.headers["etag"]})
    return response
