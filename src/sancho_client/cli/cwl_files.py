"""A CWL tool and its input object, read from files."""

import json
from pathlib import Path
from typing import Any, cast

import yaml

from sancho_client.errors import BadInput

LARGEST = 1_000_000
"""Bytes of a file, and of what aliases make of it."""


def read(path: Path) -> dict[str, Any]:
    """Read YAML or JSON; raises `BadInput` for what is no map, is too large, or repeats itself by aliases."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise BadInput(f"{path} is larger than {LARGEST} bytes.")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise BadInput(f"{path} has aliases; write what they stand for.")
        made: Any = yaml.safe_load(text)
        json.dumps(made)
    except OSError as e:
        raise BadInput(f"{path} cannot be read: {e.strerror}.") from e
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as e:
        raise BadInput(f"{path} is not YAML: {e}") from e
    except (TypeError, ValueError) as e:
        raise BadInput(f"{path} has more in it than JSON has: {e}. Put dates in quotes.") from e
    if not isinstance(made, dict):
        raise BadInput(f"{path} is no map.")
    return cast(dict[str, Any], made)
