"""``…/redis/{name}/flush``: empty a cache."""

from __future__ import annotations

import falcon

from api import lro
from api.context import cause
from api.parts import Parts
from api.redis import children
from controller.spec import Errand, ErrandKind


class Flush:
    """``…/flush``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_post(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Begin to delete all keys in all databases, 202; a body is not looked at."""
        errand = Errand(ErrandKind.FLUSH, cause(req).request_id)
        record = children.write(
            self._parts,
            req,
            children.cache_key(path),
            lambda old: old.spec.with_errand(errand),
        )
        resp.status = falcon.HTTP_202
        lro.start_result(req, resp, record.spec.location, twice=True)
