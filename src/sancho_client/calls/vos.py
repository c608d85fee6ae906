"""How a VO comes in."""

from sancho_client.call import Call, segment
from sancho_client.models.vos import Check, NewVo, NewVoMade


def create(vo: NewVo) -> Call[NewVoMade]:
    """Make a VO with all that it shall have, or nothing; for administrators of the installation."""
    return Call(method="POST", path="/v1/vos", answer=NewVoMade, json=vo.model_dump(mode="json", exclude_none=True))


def check(name: str) -> Call[list[Check]]:
    """What a VO has and what it lacks."""
    return Call(method="GET", path=f"/v1/vos/{segment(name)}/check", answer=list[Check])
