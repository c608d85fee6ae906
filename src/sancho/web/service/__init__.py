"""The door of the page: its files, its session, and what VOs add to it."""

from sancho.web.service.manifest import KINDS
from sancho.web.service.page import NOT_BUILT, asset, begin, built, end, index, renew
from sancho.web.service.shelf import Shelf

__all__ = ["KINDS", "NOT_BUILT", "Shelf", "asset", "begin", "built", "end", "index", "renew"]
