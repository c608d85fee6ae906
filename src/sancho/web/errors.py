"""What can go wrong between the page and the server; each class is one `code`."""

from sancho.kit.errors import Forbidden, NotFound


class AssetNotFound(NotFound):
    """The page has no file {name}."""

    code = "asset_not_found"

    def __init__(self, *, name: str) -> None:
        """Name the file."""
        super().__init__(name=name, hint="The page was built anew meanwhile: load it again.")


class ExtensionFileNotFound(NotFound):
    """No extension of the page has a file at this address."""

    code = "extension_file_not_found"

    def __init__(self) -> None:
        """Say what may have happened."""
        super().__init__(hint="It was changed meanwhile, or taken away: load the page again.")


class NotFromPage(Forbidden):
    """This request does not come from the page."""

    code = "not_from_page"

    def __init__(self) -> None:
        """Say what programs do instead."""
        super().__init__(hint="Sessions are for the web page; programs ask for tokens at /v1/auth/token.")
